package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Window and Calendar are documents with their source.
type (
	Window struct {
		delivery.Window
		// When says in short when it is active.
		When    string `json:"when"`
		Manager string `json:"manager"`
	}
	// Calendar says too which Windows name it.
	Calendar struct {
		delivery.Calendar
		Windows []string `json:"windows"`
		Manager string   `json:"manager"`
	}
)

// WindowCheck is what Windows say of an action on an App in an Environment at a time.
type WindowCheck struct {
	App    string                `json:"app"`
	Env    string                `json:"env"`
	Action delivery.WindowAction `json:"action" enum:"deploy,config,restart,scale"`
	At     time.Time             `json:"at"`
	delivery.WindowStatus
	// Says is the same in a line.
	Says delivery.Cause `json:"says"`
	// Windows are those about this action here.
	Windows []string `json:"windows"`
	// Warnings are of Calendars that do not have a year that is needed.
	Warnings []delivery.Cause `json:"warnings,omitempty"`
}

// WindowMonth is when something may begin, day by day of a month.
type WindowMonth struct {
	Month  string                `json:"month" doc:"2026-12"`
	App    string                `json:"app,omitempty"`
	Env    string                `json:"env"`
	Action delivery.WindowAction `json:"action" enum:"deploy,config,restart,scale"`
	// Zone is whose clock the days and times are of.
	Zone     string           `json:"zone"`
	Days     []WindowDay      `json:"days"`
	Windows  []string         `json:"windows"`
	Warnings []delivery.Cause `json:"warnings,omitempty"`
}

// WindowDay is one day. Without Open it is closed all day.
type WindowDay struct {
	Date string     `json:"date"`
	Open []OpenSpan `json:"open"`
	// Rules are the Windows that close it for a while, or all day.
	Rules []string `json:"rules,omitempty"`
}

// OpenSpan is a span of a day, as its clock shows it.
type OpenSpan struct {
	From  string `json:"from" doc:"10:00"`
	Until string `json:"until" doc:"18:00, at most 24:00"`
}
