//go:build !linux

package embedded

import "syscall"

// dieWithParent does nothing where the kernel has no such signal: there PostgreSQL outlives a
// server that is killed, and the next start ends it.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
