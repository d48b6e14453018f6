// A command in Go: JSON, goroutines and channels, files, text, big numbers. It is a core module for WASI preview 1.
package main

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	modes := map[string]func([]string) error{
		"hello":      hello,
		"args":       args,
		"env":        env,
		"json":       transform,
		"goroutines": goroutines,
		"words":      words,
		"files":      files,
		"walk":       walk,
		"misc":       misc,
		"collect":    collect,
		"clocks":     clocks,
		"exit":       exit,
		"panic":      func([]string) error { panic("asked to panic") },
		"deadlock":   func([]string) error { select {} },
	}
	mode, rest := "hello", []string(nil)
	if len(os.Args) > 1 {
		mode, rest = os.Args[1], os.Args[2:]
	}
	run, found := modes[mode]
	if !found {
		fmt.Fprintf(os.Stderr, "go-command: there is no mode %q\n", mode)
		os.Exit(2)
	}
	if err := run(rest); err != nil {
		fmt.Fprintln(os.Stderr, "go-command:", err)
		os.Exit(1)
	}
}

func hello([]string) error {
	fmt.Println("Hello from a Go command!")
	return nil
}

func args(args []string) error {
	fmt.Printf("%q\n", args)
	return nil
}

func env(names []string) error {
	entries := os.Environ()
	sort.Strings(entries)
	fmt.Println(strings.Join(entries, "\n"))
	for _, name := range names {
		value, set := os.LookupEnv(name)
		fmt.Printf("%s: %q %t\n", name, value, set)
	}
	return nil
}

type ship struct {
	Name    string            `json:"name"`
	Length  float64           `json:"length"`
	Built   int               `json:"built,omitempty"`
	Ports   []string          `json:"ports"`
	Details map[string]string `json:"details,omitempty"`
}

// transform reads ships as JSON from stdin and writes them by length.
func transform([]string) error {
	var ships []ship
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&ships); err != nil {
		return err
	}
	sort.Slice(ships, func(a, b int) bool { return ships[a].Length > ships[b].Length })
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, ship := range ships {
		fmt.Fprintf(table, "%s\t%.1f m\t%s\n", ship.Name, ship.Length, strings.Join(ship.Ports, ", "))
	}
	table.Flush()
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(ships)
}

// goroutines: workers on channels, a mutex, a select with a timeout, a recovered panic.
func goroutines([]string) error {
	jobs, results := make(chan int), make(chan [2]int, 4)
	var workers sync.WaitGroup
	for range [8]struct{}{} {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range jobs {
				steps := 0
				for at := n; at != 1; steps++ {
					if at%2 == 0 {
						at /= 2
					} else {
						at = 3*at + 1
					}
				}
				results <- [2]int{n, steps}
			}
		}()
	}
	go func() {
		for n := 1; n <= 20000; n++ {
			jobs <- n
		}
		close(jobs)
		workers.Wait()
		close(results)
	}()
	longest, total := [2]int{}, 0
	for result := range results {
		total += result[1]
		if result[1] > longest[1] {
			longest = result
		}
	}
	fmt.Println("longest", longest[0], "with", longest[1], "steps, total", total)

	var mutex sync.Mutex
	var all sync.WaitGroup
	counter := 0
	for n := 0; n < 1000; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			mutex.Lock()
			counter += n
			mutex.Unlock()
		}(n)
	}
	all.Wait()
	fmt.Println("counter", counter)

	never := make(chan int)
	select {
	case <-never:
	case <-time.After(10 * time.Millisecond):
		fmt.Println("timed out")
	}
	fmt.Println(safely(func() { _ = []int{}[len(os.Args)] }))
	fmt.Println(safely(func() { var none *ship; none.Name = "" }))
	return nil
}

func safely(do func()) (err error) {
	defer func() {
		if got := recover(); got != nil {
			err = fmt.Errorf("recovered: %v", got)
		}
	}()
	do()
	return nil
}

func words([]string) error {
	counts := map[string]int{}
	scanner := bufio.NewScanner(os.Stdin)
	word := regexp.MustCompile(`\pL+`)
	for scanner.Scan() {
		for _, found := range word.FindAllString(strings.ToLower(scanner.Text()), -1) {
			counts[found]++
		}
	}
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(a, b int) bool {
		if counts[keys[a]] != counts[keys[b]] {
			return counts[keys[a]] > counts[keys[b]]
		}
		return keys[a] < keys[b]
	})
	for _, key := range keys {
		fmt.Println(counts[key], key)
	}
	return scanner.Err()
}

// files changes an empty folder; it is empty again at the end.
func files(args []string) error {
	dir := args[0]
	path := filepath.Join(dir, "numbers.gz")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	packer := gzip.NewWriter(file)
	for n := 0; n < 10000; n++ {
		fmt.Fprintln(packer, n)
	}
	if err := errors.Join(packer.Close(), file.Close()); err != nil {
		return err
	}
	if file, err = os.Open(path); err != nil {
		return err
	}
	reader, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(reader)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	fmt.Printf("%d bytes, %x\n", len(text), sha256.Sum256(text))
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o755); err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(dir, "a/b/moved.gz")); err != nil {
		return err
	}
	_, err = os.Stat(path)
	fmt.Println("gone:", errors.Is(err, fs.ErrNotExist))
	if err := os.WriteFile(filepath.Join(dir, "a/note.txt"), []byte("one\n"), 0o644); err != nil {
		return err
	}
	file, err = os.OpenFile(filepath.Join(dir, "a/note.txt"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	fmt.Fprint(file, "two\n")
	file.Close()
	note, err := os.ReadFile(filepath.Join(dir, "a/note.txt"))
	fmt.Printf("%q %v\n", note, err)
	_, err = os.ReadFile("/etc/hostname")
	fmt.Println("outside:", err != nil)
	return os.RemoveAll(filepath.Join(dir, "a"))
}

func walk(args []string) error {
	return filepath.WalkDir(args[0], func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fmt.Println(path, entry.IsDir())
		return nil
	})
}

func misc([]string) error {
	factorial := big.NewInt(1)
	for n := int64(2); n <= 60; n++ {
		factorial.Mul(factorial, big.NewInt(n))
	}
	fmt.Println(factorial)
	fmt.Println(new(big.Int).Exp(big.NewInt(3), big.NewInt(1000), big.NewInt(1_000_000_007)))
	fmt.Println(strconv.FormatFloat(1.0/3, 'g', -1, 64), strconv.Quote("tab\there"), fmt.Sprintf("%08b %x %+v", 37, "hex", ship{Name: "S"}))
	date := time.Date(2024, time.February, 29, 12, 0, 0, 0, time.UTC)
	fmt.Println(date.AddDate(1, 0, 0).Format(time.RFC1123), date.YearDay())
	return nil
}

// collect makes garbage, so that the collector runs and its stack scans meet live pointers.
func collect([]string) error {
	type node struct {
		left, right *node
	}
	var build func(int) *node
	build = func(depth int) *node {
		if depth == 0 {
			return &node{}
		}
		return &node{build(depth - 1), build(depth - 1)}
	}
	var count func(*node) int
	count = func(tree *node) int {
		if tree.left == nil {
			return 1
		}
		return 1 + count(tree.left) + count(tree.right)
	}
	kept, total := build(12), 0
	for n := 0; n < 60; n++ {
		total += count(build(12))
	}
	fmt.Println(count(kept), total)
	return nil
}

func clocks([]string) error {
	before := time.Now()
	time.Sleep(5 * time.Millisecond)
	fmt.Println("slept long enough:", time.Since(before) >= 5*time.Millisecond)
	fmt.Println("after 2024:", before.Year() >= 2024)
	return nil
}

func exit(args []string) error {
	code, err := strconv.Atoi(args[0])
	if err == nil {
		os.Exit(code)
	}
	return err
}
