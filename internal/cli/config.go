package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/shiplock/shiplock/internal/client"
)

// config is the saved log-in.
type config struct {
	Server string `json:"server"`
	Token  string `json:"token"`
}

func (c *console) configFile() (string, error) {
	if c.ConfigFile != "" {
		return c.ConfigFile, nil
	}
	dir := c.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		home := c.Getenv("HOME")
		if home == "" {
			return "", errors.New("neither XDG_CONFIG_HOME nor HOME is set: set one, or use SHIPLOCK_URL and SHIPLOCK_TOKEN")
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "shiplock", "config.json"), nil
}

// loadConfig returns the saved log-in; an empty one when there is none.
func (c *console) loadConfig() (config, error) {
	file, err := c.configFile()
	if err != nil {
		return config{}, nil // the environment may say all that is needed
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, nil
	}
	if err != nil {
		return config{}, err
	}
	var saved config
	if err := json.Unmarshal(data, &saved); err != nil {
		return saved, fmt.Errorf("%s is damaged: log in again (%w)", file, err)
	}
	return saved, nil
}

// saveConfig replaces the file at once, readable for nobody else.
func (c *console) saveConfig(saved config) (string, error) {
	file, err := c.configFile()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	data, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".config-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(append(data, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return file, nil
}

func (c *console) loginCommand() *cobra.Command {
	return &cobra.Command{
		Use: "login --server URL [--token TOKEN]", Short: "Save a server and a token",
		Long: "Save a server and a token, after trying them. Without --token it is read from the standard input.",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.server == "" {
				return usageOf(cmd, "which server? add --server URL")
			}
			if err := checkServer(c.server); err != nil {
				return err
			}
			token, err := c.readToken()
			if err != nil {
				return err
			}
			who, err := client.New(c.server, token).In(c.lang).Who(cmd.Context())
			if err != nil {
				return err
			}
			file, err := c.saveConfig(config{Server: c.server, Token: token})
			if err != nil {
				return fmt.Errorf("save the log-in: %w", err)
			}
			return c.print(who, func(w io.Writer) { fmt.Fprintln(w, c.say("Logged in to %s as %s (%s).", c.server, who.Name, file)) })
		},
	}
}

const maxToken = 4 << 10

func (c *console) readToken() (string, error) {
	if c.token != "" {
		return c.token, nil
	}
	if f, ok := c.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return c.askToken(int(f.Fd()))
	}
	line, err := bufio.NewReader(io.LimitReader(c.In, maxToken)).ReadString('\n')
	if token := strings.TrimSpace(line); token != "" {
		return token, nil
	}
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the token: %w", err)
	}
	return "", errNoToken
}

var errNoToken = &usageError{msg: "no token was given", hint: "use --token, or write it to the standard input"}

// askToken reads from a terminal without showing what is typed.
func (c *console) askToken(fd int) (string, error) {
	fmt.Fprint(c.Err, c.say("Token (it is not shown):")+" ")
	typed, err := term.ReadPassword(fd)
	fmt.Fprintln(c.Err)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(typed))
	if token == "" {
		return "", errNoToken
	}
	return token, nil
}
