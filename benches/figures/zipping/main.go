// Zips packages with Go's archive/zip, as elastic-package does, one after another.
//
// Standard input, for each package: a line `{deflate|store} {number of files}`, then for each file a line
// `{bytes} {path}` and its bytes. Standard output, for each package: a line with the bytes of its zip, and the zip.
package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"
)

var modified = time.Date(2022, time.November, 1, 8, 0, 0, 0, time.UTC)

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		kind, count, err := fields(in)
		if err == io.EOF {
			return
		}
		check(err)
		files, err := strconv.Atoi(count)
		check(err)
		method := zip.Store
		if kind == "deflate" {
			method = zip.Deflate
		}
		zipped, err := pack(in, method, files)
		check(err)
		fmt.Fprintf(out, "%d\n", len(zipped))
		_, err = out.Write(zipped)
		check(err)
		check(out.Flush())
	}
}

func pack(in *bufio.Reader, method uint16, count int) ([]byte, error) {
	var zipped bytes.Buffer
	writer := zip.NewWriter(&zipped)
	for ; count > 0; count-- {
		size, path, err := fields(in)
		if err != nil {
			return nil, err
		}
		length, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return nil, err
		}
		header := &zip.FileHeader{Name: path, Method: method, Modified: modified}
		header.SetMode(0o644)
		file, err := writer.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := io.CopyN(file, in, length); err != nil {
			return nil, err
		}
	}
	err := writer.Close()
	return zipped.Bytes(), err
}

// fields returns the two fields of the next line.
func fields(in *bufio.Reader) (string, string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", "", err
	}
	first, second, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	return first, second, nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
