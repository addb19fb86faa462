//! The Rust side of the ring benchmark: aya's loader and RingBuf.
//!
//! Usage: aya-reader OBJECT. It speaks the protocol of libbpf-reader.c.

use std::borrow::Borrow;
use std::env;
use std::error::Error;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use aya::programs::Xdp;
use aya::Ebpf;

/// Of struct simple_event in bpf/include/sniffer/events.h, which is packed.
const EVENT_SIZE: usize = 566;

#[derive(Default)]
struct Tally {
    checksum: u32,
    events: u64,
}

impl Tally {
    fn add(&mut self, event: &[u8; EVENT_SIZE]) {
        let mixed = (word(event, 0) ^ u32::from(half_word(event, 10)))
            .wrapping_add(word(event, 4) ^ word(event, 14));
        self.checksum = self.checksum.rotate_left(1).wrapping_add(mixed);
        self.events += 1;
    }
}

fn word(event: &[u8; EVENT_SIZE], at: usize) -> u32 {
    u32::from_le_bytes([event[at], event[at + 1], event[at + 2], event[at + 3]])
}

fn half_word(event: &[u8; EVENT_SIZE], at: usize) -> u16 {
    u16::from_le_bytes([event[at], event[at + 1]])
}

/// The part of `union bpf_attr` for BPF_PROG_TEST_RUN, which aya 0.13 has no call for.
#[repr(C)]
#[derive(Default)]
struct TestRun {
    program: u32,
    return_value: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
}

const BPF_PROG_TEST_RUN: libc::c_int = 10;

fn fill(program: RawFd, events: u32) -> io::Result<()> {
    let packet = [0u8; 64];
    let mut attributes = TestRun {
        program: program as u32,
        data_size_in: packet.len() as u32,
        data_in: packet.as_ptr() as u64,
        repeat: events,
        ..TestRun::default()
    };
    // SAFETY: the kernel reads the packet and writes to the attributes, which both outlive the call.
    let status = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_TEST_RUN,
            &mut attributes,
            size_of::<TestRun>(),
        )
    };
    if status < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Fills the ring and drains it until it was as many events. Only draining is timed.
fn run<T: Borrow<MapData>>(
    program: RawFd,
    ring: &mut RingBuf<T>,
    events: u32,
    chunk: u32,
) -> Result<(Tally, Duration), Box<dyn Error>> {
    let mut tally = Tally::default();
    let mut spent = Duration::ZERO;
    let mut left = events;
    while left > 0 {
        let count = left.min(chunk);
        fill(program, count)?;
        let start = Instant::now();
        while let Some(event) = ring.next() {
            tally.add(event[..].try_into()?);
        }
        spent += start.elapsed();
        left -= count;
    }
    Ok((tally, spent))
}

fn main() -> Result<(), Box<dyn Error>> {
    let object = env::args().nth(1).ok_or("Usage: aya-reader OBJECT")?;
    let mut collection = Ebpf::load_file(object)?;
    let program = collection.program_mut("fill").ok_or("No program fill")?;
    let program: &mut Xdp = program.try_into()?;
    program.load()?;
    let program = program.fd()?.as_fd().as_raw_fd();
    let map = collection.map_mut("events").ok_or("No map events")?;
    let mut ring = RingBuf::try_from(map)?;
    for line in io::stdin().lines() {
        let line = line?;
        let (events, chunk) = line.split_once(' ').ok_or("A line is EVENTS CHUNK")?;
        let (tally, spent) = run(program, &mut ring, events.parse()?, chunk.parse()?)?;
        println!(
            "{{\"events\":{},\"checksum\":{},\"nanoseconds\":{}}}",
            tally.events,
            tally.checksum,
            spent.as_nanos()
        );
    }
    Ok(())
}
