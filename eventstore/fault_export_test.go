package eventstore

// Waiting is how many appends stand in the writer's queue: tests make batches of known content.
func (s *Store) Waiting() int { return len(s.lane.queue) }
