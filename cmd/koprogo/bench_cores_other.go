//go:build !linux

package main

import (
	"errors"
	"time"
)

var errNoCores = errors.New("processes are kept on a core on Linux only")

func onCores([]int, func() error) error { return errNoCores }

func stayOnCore(int) error { return errNoCores }

func cores() ([]int, error) { return nil, errNoCores }

func sleepUntil(at time.Time) { time.Sleep(time.Until(at)) }
