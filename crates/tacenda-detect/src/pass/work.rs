//! How much the pass does, in bytes read and rules tried: counted in test builds, where a clock
//! would tell of the machine instead.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts `steps` more.
#[inline]
pub(super) fn add(steps: usize) {
    #[cfg(test)]
    STEPS.set(STEPS.get() + steps);
    #[cfg(not(test))]
    let _ = steps;
}

/// What has been counted on this thread since the last call.
#[cfg(test)]
pub(super) fn taken() -> usize {
    STEPS.replace(0)
}
