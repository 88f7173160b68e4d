package eventstore

// Waiting is how many appends stand in the writer's queues: tests make batches of known content.
func (s *Store) Waiting() int {
	n := 0
	for _, l := range s.lanes {
		n += len(l.queue)
	}
	return n
}
