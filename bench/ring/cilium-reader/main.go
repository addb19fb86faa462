// The Go side of the ring benchmark: cilium/ebpf's loader and ringbuf.Reader.
//
// Usage: cilium-reader OBJECT fields|object. It speaks the protocol of libbpf-reader.c. With "fields" four fields are taken
// from the sample in place; with "object" encoding/binary reads the whole of it into a struct.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// simpleEvent is struct simple_event of bpf/include/sniffer/events.h, which is packed, as encoding/binary reads.
type simpleEvent struct {
	SrcIP           uint32
	DstIP           uint32
	SrcPort         uint16
	DstPort         uint16
	Protocol        uint8
	TCPFlags        uint8
	PacketLen       uint32
	IPHeaderLen     uint16
	L4HeaderLen     uint16
	Timestamp       uint64
	PayloadLen      uint16
	Payload         [512]uint8
	InterfaceMode   uint8
	IsWanFacing     uint8
	SourceIfindex   uint32
	SourceInterface [16]int8
}

const eventSize = 566

type tally struct {
	checksum uint32
	events   uint64
}

func (tally *tally) add(srcIP, dstIP uint32, dstPort uint16, packetLen uint32) {
	mixed := (srcIP ^ uint32(dstPort)) + (dstIP ^ packetLen)
	tally.checksum = (tally.checksum<<1 | tally.checksum>>31) + mixed
	tally.events++
}

func (tally *tally) addFields(sample []byte) error {
	if len(sample) != eventSize {
		return fmt.Errorf("a record has %d bytes", len(sample))
	}
	little := binary.LittleEndian
	tally.add(little.Uint32(sample), little.Uint32(sample[4:]), little.Uint16(sample[10:]), little.Uint32(sample[14:]))
	return nil
}

func (tally *tally) addObject(sample []byte) error {
	var event simpleEvent
	if err := binary.Read(bytes.NewReader(sample), binary.LittleEndian, &event); err != nil {
		return err
	}
	tally.add(event.SrcIP, event.DstIP, event.DstPort, event.PacketLen)
	return nil
}

func run(object, how string) error {
	collection, err := ebpf.LoadCollection(object)
	if err != nil {
		return fmt.Errorf("load the object: %w", err)
	}
	defer collection.Close()
	reader, err := ringbuf.NewReader(collection.Maps["events"])
	if err != nil {
		return fmt.Errorf("open the ring: %w", err)
	}
	defer reader.Close()
	reader.SetDeadline(time.Unix(1, 0))
	packet := make([]byte, 64)
	var record ringbuf.Record
	for {
		var wanted, chunk uint32
		if _, err := fmt.Scan(&wanted, &chunk); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var tally tally
		add := tally.addFields
		if how == "object" {
			add = tally.addObject
		}
		var spent time.Duration
		for left := wanted; left > 0; {
			count := min(left, chunk)
			if _, err := collection.Programs["fill"].Run(&ebpf.RunOptions{Data: packet, Repeat: count}); err != nil {
				return fmt.Errorf("fill the ring: %w", err)
			}
			start := time.Now()
			for {
				// The events wake nobody, so it must not wait for them: with a deadline that is over it reads what is there.
				err := reader.ReadInto(&record)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					break
				}
				if err != nil {
					return fmt.Errorf("read the ring: %w", err)
				}
				if err := add(record.RawSample); err != nil {
					return err
				}
			}
			spent += time.Since(start)
			left -= count
		}
		fmt.Printf("{\"events\":%d,\"checksum\":%d,\"nanoseconds\":%d}\n", tally.events, tally.checksum, spent.Nanoseconds())
	}
}

func main() {
	if len(os.Args) != 3 || (os.Args[2] != "fields" && os.Args[2] != "object") {
		log.Fatal("Usage: cilium-reader OBJECT fields|object")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatalf("Cannot %v", err)
	}
}
