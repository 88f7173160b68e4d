//go:build !linux

package main_test

import "syscall"

// dieWithTests does nothing where the kernel does not tell of a parent's death.
func dieWithTests(*syscall.SysProcAttr) {}
