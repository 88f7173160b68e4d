package commands

// Change is what a command says of one field: nothing (the zero value), a new value, or that an
// optional value is no more. Where a thing is made, the last counts as nothing.
type Change[T any] struct {
	Value   T
	Given   bool
	Cleared bool
}

// To gives a field a value.
func To[T any](value T) Change[T] { return Change[T]{Value: value, Given: true} }

// Cleared takes an optional field's value away.
func Cleared[T any]() Change[T] { return Change[T]{Cleared: true} }

// over is the field's value after the change of old.
func (c Change[T]) over(old T) T {
	var none T
	switch {
	case c.Given:
		return c.Value
	case c.Cleared:
		return none
	}
	return old
}

// or is the field's value where a thing is made.
func (c Change[T]) or(absent T) T {
	if c.Given {
		return c.Value
	}
	return absent
}

// named tells whether the command says anything of the field.
func (c Change[T]) named() bool { return c.Given || c.Cleared }
