// What every client here is made of: how it is told things, and how it ends. gosdk.sh puts this file beside each.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// The value of an environment variable; without it the program ends.
func setting(name string) string {
	value := os.Getenv(name)
	if value == "" {
		fail("environment variable %s is missing", name)
	}
	return value
}

// Ends the program with 1 and the reason.
func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

func check(doing string, err error) {
	if err != nil {
		fail("%s: %v", doing, err)
	}
}

// What the test reads: one line of JSON.
func printResult(seen any) {
	check("print the result", json.NewEncoder(os.Stdout).Encode(seen))
}
