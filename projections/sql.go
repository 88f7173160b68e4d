package projections

// Statements lists every constant SQL text of this package that names tables or functions, so that
// a test can have it prepared against the migrated schema.
func Statements() []string {
	texts := []string{
		insertCheckpointSQL, lockCheckpointsSQL, moveCheckpointsSQL, eventsSQL, learnSQL, sweepSQL,
		tryRebuildSQL, endRebuildSQL, storageSQL, rebuildEventsSQL, allPositionsSQL,
		setCheckpointSQL, indexesSQL, checkpointSQL,
	}
	texts = append(texts, Totals.SQL()...)
	for _, p := range All {
		for _, table := range p.Tables {
			texts = append(texts, table.SQL()...)
		}
	}
	return texts
}
