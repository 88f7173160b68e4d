// Package seed tells stories: organizations with buildings, lots, owners and years of charges to
// look at and to measure on. Every fact goes through the command that a request would send, so it
// passes the rules; its days lie in the past, the instants at which it is recorded do not.
//
// A story is made of plain values first (story.go), which depend on a seed and a day and on nothing
// else, and then told (tell.go). Ids are fixed too, so telling it again adds nothing, and what was
// cut short is completed. Start reading at Seeder; demo.go is the demo, erables.go its main
// building, town.go makes buildings by the thousand.
//
// It imports commands, events and eventstore. Names are made up; numbers are right in form only.
package seed
