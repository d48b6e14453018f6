use std::ops::Range;

use super::*;

#[test]
fn growth_inside_the_reservation_does_not_move() {
    let mut m = Mapping::new(PAGE, 4 * PAGE).unwrap();
    let base = m.base();
    assert!(m.grow(PAGE, 3 * PAGE));
    assert_eq!(m.base(), base);
    // SAFETY: three pages are committed.
    assert_eq!(unsafe { *base.add(3 * PAGE - 1) }, 0);
}

#[test]
fn growth_beyond_the_reservation_keeps_the_bytes() {
    let mut m = Mapping::new(PAGE, PAGE).unwrap();
    // SAFETY: inside the first page.
    unsafe { *m.base().add(7) = 42 };
    assert!(m.grow(PAGE, 3 * PAGE));
    // SAFETY: inside the committed pages.
    assert_eq!(unsafe { (*m.base().add(7), *m.base().add(PAGE)) }, (42, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn shared_pages_are_copied_by_whoever_writes() {
    let parts = [(5, &b"abc"[..]), (6, b"x"), (PAGE, b"y")];
    let pages = SharedPages::new(2 * PAGE, parts.into_iter()).unwrap();
    let image = Image {
        at: PAGE,
        pages: Arc::new(pages),
    };
    let mapped = || {
        let mut m = Mapping::new(3 * PAGE, 4 * PAGE).unwrap();
        m.share(Some(&image)).unwrap();
        m
    };
    // SAFETY: inside the three pages, to which there are no references.
    let read = |m: &Mapping, at| unsafe { *m.base().add(at) };
    let mut first = mapped();
    // SAFETY: as above.
    unsafe { *first.base().add(PAGE + 5) = b'w' };
    let mut second = mapped();
    let bytes: Vec<u8> = (4..9).map(|at| read(&second, PAGE + at)).collect();
    assert_eq!(bytes, b"\0axc\0");
    assert_eq!((read(&first, PAGE + 5), read(&second, 2 * PAGE)), (b'w', b'y'));
    assert!(second.grow(3 * PAGE, 4 * PAGE));
    assert_eq!((read(&second, PAGE + 5), read(&second, 4 * PAGE - 1)), (b'a', 0));
    // Used again, with the image and without.
    assert!(first.reset(0) && first.has_image(Some(&image)));
    assert_eq!(read(&first, PAGE + 5), b'a');
    assert!(first.set_image(None) && !first.has_image(Some(&image)));
    assert_eq!(read(&first, PAGE + 5), 0);
    assert!(first.resize(PAGE) && first.resize(4 * PAGE));
    assert_eq!((read(&first, 2 * PAGE), read(&first, 4 * PAGE - 1)), (0, 0));
    assert!(first.set_image(Some(&image)));
    assert_eq!(read(&first, 2 * PAGE), b'y');
}

#[test]
fn what_no_system_has_is_an_error() {
    assert!(Mapping::new(usize::MAX, usize::MAX).is_err());
    assert!(Mapping::new(1 << 60, 0).is_err());
}

/// Numbers without a pattern.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

fn bytes(m: &Mapping, range: Range<usize>) -> &[u8] {
    assert!(range.end <= m.committed);
    // SAFETY: they are committed, and nothing writes to them while the mapping is borrowed.
    unsafe { std::slice::from_raw_parts(m.base().add(range.start), range.len()) }
}

fn write(m: &mut Mapping, at: usize, with: &[u8]) {
    assert!(at + with.len() <= m.committed);
    // SAFETY: they are committed, and the mapping is exclusively borrowed.
    unsafe { std::ptr::copy_nonoverlapping(with.as_ptr(), m.base().add(at), with.len()) };
}

/// What a new mapping of this length has.
fn fresh(len: usize, image: Option<&Image>) -> Vec<u8> {
    let mut m = Mapping::new(len, len).unwrap();
    m.share(image).unwrap();
    bytes(&m, 0..len).to_vec()
}

#[cfg(target_os = "linux")]
fn image(numbers: &mut Numbers, at: usize, len: usize) -> Image {
    let data: Vec<u8> = (0..len / 2).map(|_| numbers.below(256) as u8).collect();
    // The second quarter is left out: zero.
    let parts = [(0, &data[..len / 4]), (len / 2, &data[len / 4..])];
    Image {
        at,
        pages: Arc::new(SharedPages::new(len, parts.into_iter()).unwrap()),
    }
}

/// Whoever gets a mapping that was used, for whatever it is, finds what a new one has.
#[cfg(target_os = "linux")]
#[test]
fn a_reset_mapping_is_as_good_as_new() {
    let mut numbers = Numbers(7);
    let images = [
        None,
        Some(image(&mut numbers, 0, 4 * PAGE)),
        Some(image(&mut numbers, 3 * PAGE, 8 * PAGE)),
        Some(image(&mut numbers, PAGE, 2 * PAGE)),
    ];
    let most = 40 * PAGE;
    let mut m = Mapping::reserve_all(16 * PAGE, most).unwrap();
    let mut kept = 0;
    for round in 0..400 {
        let image = images[numbers.below(images.len())].as_ref();
        let len = (12 + numbers.below(10)) * PAGE;
        assert!(m.set_image(image) && m.resize(len));
        if round % 2 == 0 {
            // Otherwise no page is there but those that the guest touches.
            assert!(bytes(&m, 0..len) == fresh(len, image), "round {round}");
        }
        let end = match numbers.below(2) {
            0 => len,
            _ => {
                let end = len + numbers.below((most - len) / PAGE + 1) * PAGE;
                assert!(m.grow(len, end));
                assert!(bytes(&m, len..end).iter().all(|byte| *byte == 0));
                end
            }
        };
        for _ in 0..numbers.below(120) {
            let at = numbers.below(end);
            let with: Vec<u8> = (0..numbers.below(9000))
                .map(|_| numbers.below(256) as u8)
                .collect();
            match numbers.below(3) {
                0 => assert!(bytes(&m, at..at + 1).len() == 1),
                _ => write(&mut m, at, &with[..with.len().min(end - at)]),
            }
        }
        assert!(m.reset([0, PAGE, 8 * PAGE, 64 * PAGE][numbers.below(4)]));
        kept += m.kept();
        assert!(bytes(&m, 0..end) == fresh(end, m.image.as_ref()), "round {round}");
    }
    // Where the system can tell what was written to, pages were put back.
    assert!(kept > 0 || written(0..1 << 12, Pages::Zero, 0, |_| ()).is_none());
}

/// Bytes of the mapping's own pages, as the system counts them.
#[cfg(target_os = "linux")]
fn own(m: &Mapping) -> Option<usize> {
    let base = m.base() as usize;
    let (start, end) = m.image.as_ref().map_or((0, 0), |i| (i.at, i.at + i.pages.len));
    let mut total = 0;
    for (range, pages) in [
        (0..start, Pages::Zero),
        (start..end, Pages::File),
        (end..m.reserved, Pages::Zero),
    ] {
        total += written(base + range.start..base + range.end, pages, usize::MAX, |_| ())?;
    }
    Some(total)
}

/// What a mapping keeps is bounded, also behind the end of memories that are smaller than those before.
#[cfg(target_os = "linux")]
#[test]
fn what_is_kept_is_bounded() {
    let mut numbers = Numbers(8);
    let image = image(&mut numbers, PAGE, 4 * PAGE);
    let mut m = Mapping::reserve_all(64 * PAGE, 64 * PAGE).unwrap();
    if own(&m).is_none() {
        return;
    }
    let most = 6 * PAGE;
    for len in (8..=64).rev().chain(8..64) {
        assert!(m.set_image(Some(&image)) && m.resize(len * PAGE));
        write(&mut m, (len - 3) * PAGE, &[1; 3 * PAGE]);
        write(&mut m, PAGE, &[1; PAGE]);
        assert!(m.reset(most));
        assert!(own(&m).unwrap() <= most && m.kept() == own(&m).unwrap());
    }
    assert!(m.drop_pages());
    assert_eq!((m.kept(), own(&m)), (0, Some(0)));
}

/// Scans find more ranges than they have room for at a time.
#[cfg(target_os = "linux")]
#[test]
fn every_other_page_is_found() {
    let len = 64 * PAGE;
    let mut m = Mapping::new(len, len).unwrap();
    let page = rustix::param::page_size();
    let mut expected = Vec::new();
    for at in (0..len).step_by(2 * page) {
        write(&mut m, at + 5, b"x");
        expected.push(at..at + page);
        // Reading leaves no page behind.
        assert_eq!(bytes(&m, at + page..at + page + 1), [0]);
    }
    let base = m.base() as usize;
    let mut found = Vec::new();
    let total = written(base..base + len, Pages::Zero, usize::MAX, |range| {
        found.push(range.start - base..range.end - base);
    });
    let Some(total) = total else { return };
    let covers = |range: &Range<usize>| found.iter().any(|f| f.start <= range.start && range.end <= f.end);
    assert!(expected.iter().all(covers));
    // The system may have made huge pages of them.
    assert!(total > len / 2 || found == expected);
    assert_eq!(written(base..base + len, Pages::Zero, total - 1, |_| ()), None);
}

/// A child process has page tables of its own, which a file that was opened before does not show.
#[cfg(target_os = "linux")]
#[test]
fn a_child_process_is_told_nothing() {
    let m = Mapping::new(PAGE, PAGE).unwrap();
    let base = m.base() as usize;
    let told = || written(base..base + PAGE, Pages::Zero, PAGE, |_| ()).is_some();
    if !told() {
        return;
    }
    // SAFETY: the child makes no calls but system calls.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let status = i32::from(told());
        // SAFETY: always allowed.
        unsafe { libc::_exit(status) };
    }
    assert!(child > 0);
    let mut status = -1;
    // SAFETY: the status is a variable to write to.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert!(
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
        "{status}"
    );
}
