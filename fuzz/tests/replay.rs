//! Every seed through its check.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// One test for all of them: the checks count the heap, which another test at the same time would share.
#[test]
fn every_seed_passes_its_check() {
    for (name, check) in hubwire_fuzz::TARGETS {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let mut count = 0;
        for seed in fs::read_dir(&seeds).expect("every target has seeds") {
            let path = seed.expect("seeds can be listed").path();
            let input = fs::read(&path).expect("a seed can be read");
            assert!(catch_unwind(|| check(&input)).is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 0, "{name} has no seeds");
    }
}
