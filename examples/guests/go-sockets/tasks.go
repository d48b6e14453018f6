package main

import (
	"runtime"
	"unsafe"
)

// Goroutines that wait for pollables. Go's own scheduler knows nothing of these, so `drive` asks the host once nothing else can go on. A task waits
// in `await` and nowhere else. There is one thread, and goroutines change only where they wait: nothing here needs a lock.

type waiter struct {
	pollable uint32
	ready    chan struct{}
}

var (
	running int
	waiters []waiter
)

// task starts a goroutine that `drive` waits for.
func task(run func()) {
	running++
	go func() {
		run()
		running--
	}()
}

// await waits for a pollable, and drops it.
func await(pollable uint32) {
	w := waiter{pollable, make(chan struct{})}
	waiters = append(waiters, w)
	running--
	<-w.ready
	pollableDrop(pollable)
}

// drive lets all tasks run to their end.
func drive() {
	for {
		for running > 0 {
			runtime.Gosched()
		}
		if len(waiters) == 0 {
			return
		}
		pollables, ret := make([]uint32, len(waiters)), new(result)
		for i, w := range waiters {
			pollables[i] = w.pollable
		}
		poll(unsafe.Pointer(&pollables[0]), uint32(len(pollables)), ret.at())
		indexes := lift(ret.u32(0), ret.u32(4)*4)
		woken := map[int]bool{}
		for i := 0; i < len(indexes); i += 4 {
			woken[int(*(*uint32)(unsafe.Pointer(&indexes[i])))] = true
		}
		var left []waiter
		for i, w := range waiters {
			if woken[i] {
				running++
				close(w.ready)
			} else {
				left = append(left, w)
			}
		}
		waiters = left
	}
}
