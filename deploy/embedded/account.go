package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the operating system user that PostgreSQL runs as.
type account struct {
	uid, gid uint32
	name     string
	// switched: this process is root and children must change to the account.
	switched bool
}

// accountFor chooses who runs the PostgreSQL of a home directory. PostgreSQL refuses to run as
// root, so root hands over to the directory's owner, else to postgres, else to nobody.
func accountFor(home string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid()), name: "self"}, nil
	}
	if info, err := os.Stat(home); err == nil {
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 0 {
			return account{uid: owner.Uid, gid: owner.Gid, name: nameOf(owner.Uid), switched: true}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(found.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return account{}, fmt.Errorf("read the ids of the user %s: %w", name, err)
		}
		return account{uid: uint32(uid), gid: uint32(gid), name: name, switched: true}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, " +
		"and this machine has neither a user postgres nor a user nobody to run it as")
}

func nameOf(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}
	return id
}

func (a account) credential() *syscall.Credential {
	if !a.switched {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own hands a file to the account, without following a link.
func (a account) own(path string) error {
	if !a.switched {
		return nil
	}
	if err := os.Lchown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("give %s to the user %s: %w", path, a.name, err)
	}
	return nil
}

// makeDir makes a directory that only the account (and root) enters, or checks that the one
// that stands there is such a directory: in a temporary directory anyone may have made it.
func (a account) makeDir(path string) error {
	err := os.Mkdir(path, 0o700)
	if err == nil {
		return a.own(path)
	}
	if !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make the directory %s: %w", path, err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	uid := info.Sys().(*syscall.Stat_t).Uid
	if info.IsDir() && uid == 0 && a.switched { // made by root, interrupted before this step
		if err := a.own(path); err != nil {
			return err
		}
		uid = a.uid
	}
	if !info.IsDir() || uid != a.uid {
		return fmt.Errorf("%s is not a directory of the user %s (%d)", path, a.name, a.uid)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(path, 0o700); err != nil {
			return fmt.Errorf("close %s to others: %w", path, err)
		}
	}
	return nil
}

// writeFile replaces a file as a whole. It never writes through a link that the account may
// have planted where root expects a file.
func (a account) writeFile(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(temp.Name()) // gone already when the renaming succeeded
	_, err = temp.Write(content)
	if err == nil && a.switched {
		err = temp.Chown(int(a.uid), int(a.gid))
	}
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
