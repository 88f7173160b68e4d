package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is what /proc says of one.
type process struct {
	pid, parent int
	cpu         float64 // seconds, with those of children that have ended
}

// tree is a process and all that come from it.
type tree struct {
	root int
	all  []process
}

// treeOf looks at the processes that come from one.
func treeOf(root int) tree {
	children := map[int][]process{}
	t := tree{root: root}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, found := processOf(pid); found {
			children[p.parent] = append(children[p.parent], p)
			if pid == root {
				t.all = append(t.all, p)
			}
		}
	}
	for i := 0; i < len(t.all); i++ {
		t.all = append(t.all, children[t.all[i].pid]...)
	}
	return t
}

// processOf reads a process's line; false for one that has ended.
func processOf(pid int) (process, bool) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, false
	}
	// After the command's name in parentheses: state, parent, … utime (12th), stime,
	// and those of children that have ended.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 15 {
		return process{}, false
	}
	p := process{pid: pid}
	p.parent, _ = strconv.Atoi(fields[1])
	for _, ticks := range fields[11:15] {
		n, _ := strconv.ParseFloat(ticks, 64)
		p.cpu += n / ticksPerSecond
	}
	return p, true
}

// ticksPerSecond is USER_HZ, 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// cpuSeconds is what the root and what the others have used so far.
func (t tree) cpuSeconds() (root, others float64) {
	for _, p := range t.all {
		if p.pid == t.root {
			root = p.cpu
		} else {
			others += p.cpu
		}
	}
	return root, others
}

// megabytes is the memory of the root, and of all where shared pages count once: PSS, in MiB.
func (t tree) megabytes() (root, all float64) {
	for _, p := range t.all {
		pss := proportional(p.pid)
		all += pss
		if p.pid == t.root {
			root = pss
		}
	}
	return root, all
}

func proportional(pid int) float64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Pss:" {
			kilobytes, _ := strconv.ParseFloat(fields[1], 64)
			return kilobytes / 1024
		}
	}
	return 0
}

// connections counts PostgreSQL's processes that serve a client: they name where he comes from.
func (t tree) connections() (n int) {
	for _, p := range t.all {
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "cmdline"))
		if err == nil && bytes.HasPrefix(line, []byte("postgres:")) &&
			bytes.Contains(line, []byte("[local]")) {
			n++
		}
	}
	return n
}
