package eventstore

// Waiting is how many appends stand in the writer's queues: tests make batches of known content.
func (s *Store) Waiting() int {
	n := 0
	for _, l := range s.lanes {
		n += len(l.queue)
	}
	return n
}

// Ahead is how many appends were taken from the queues while a batch was written.
func (s *Store) Ahead() int {
	n := 0
	for _, l := range s.lanes {
		n += int(l.foreseen.Load())
	}
	return n
}

// Closing tells whether the first lane is to stop.
func (s *Store) Closing() bool {
	select {
	case <-s.lanes[0].quit:
		return true
	default:
		return false
	}
}
