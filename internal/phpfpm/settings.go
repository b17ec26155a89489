package phpfpm

import (
	"fmt"
	"strings"
	"time"
)

// Settings are what an installation may want otherwise.
type Settings struct {
	// Workers answer one request each at a time.
	Workers int
	// MemoryLimit is the most that one request may use, in MiB; 0: no limit.
	MemoryLimit int
	// UploadLimit bounds a request's body, in MiB.
	UploadLimit int
	// TimeLimit bounds a request.
	TimeLimit time.Duration
}

// settle waits for requests at the end.
const settle = 20 * time.Second

// file is php-fpm's configuration. Directives of php_admin_* are not the app's to
// change; the others are defaults.
func (s Settings) file(socket, sessions, user string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("[global]")
	line("daemonize = no")
	line("error_log = /proc/self/fd/2")
	line("log_limit = 8192")
	line("process_control_timeout = %d", int(settle.Seconds()))
	line("[app]")
	if user != "" { // of root only: php-fpm insists on being told
		line("user = %s\ngroup = %s", user, user)
	}
	line("listen = %s", socket)
	line("listen.mode = 0600")
	line("listen.backlog = 511")
	line("pm = dynamic")
	line("pm.max_children = %d", s.Workers)
	line("pm.start_servers = %d", min(2, s.Workers))
	line("pm.min_spare_servers = 1")
	line("pm.max_spare_servers = %d", s.Workers)
	line("pm.max_requests = 10000")
	line("request_terminate_timeout = %d", int(s.TimeLimit.Seconds())+2) // the asker gives up first
	line("catch_workers_output = yes")
	line("decorate_workers_output = no")
	line("clear_env = no")
	line("security.limit_extensions = .php")
	line("php_admin_flag[log_errors] = on")
	line("php_admin_value[error_log] =")
	line("php_admin_value[fastcgi.logging] = 0") // or it says all twice
	line("php_admin_flag[expose_php] = off")
	line("php_flag[display_errors] = off")
	line("php_value[error_reporting] = 22527") // all but E_DEPRECATED, E_STRICT and notices of old code
	line("php_value[max_execution_time] = %d", int(s.TimeLimit.Seconds()))
	line("php_value[memory_limit] = %s", megabytes(s.MemoryLimit, "-1"))
	line("php_admin_value[post_max_size] = %dM", s.UploadLimit)
	line("php_admin_value[upload_max_filesize] = %dM", s.UploadLimit)
	line("php_value[session.save_path] = %s", sessions)
	return b.String()
}

func megabytes(n int, none string) string {
	if n == 0 {
		return none
	}
	return fmt.Sprintf("%dM", n)
}
