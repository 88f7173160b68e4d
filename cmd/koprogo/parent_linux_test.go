package main_test

import "syscall"

// dieWithTests ends a server when the tests are killed.
func dieWithTests(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
