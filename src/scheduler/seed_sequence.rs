//! numpy's `SeedSequence`, which torchsde draws the seeds of its Brownian tree from.

/// The seeds of a node: the entropy of the whole tree mixed with the node's own key.
///
/// `numpy.random.SeedSequence(entropy, spawn_key=key, pool_size=24).generate_state(count)`, after Melissa
/// O'Neill's `seed_seq`.
pub(crate) fn generate(entropy: u64, key: &[u64], count: usize) -> Vec<u32> {
    const POOL: usize = 24;
    let mut words = as_words(entropy);
    if !key.is_empty() {
        words.resize(words.len().max(POOL), 0);
        words.extend(key.iter().flat_map(|part| as_words(*part)));
    }
    let mut hash = Hash { constant: 0x43b0_d7e5, factor: 0x931e_8875 };
    let mut pool: Vec<u32> = (0..POOL).map(|i| hash.mix_in(words.get(i).copied().unwrap_or(0))).collect();
    for source in 0..POOL {
        let value = pool.get(source).copied().unwrap_or(0);
        for (target, entry) in pool.iter_mut().enumerate() {
            if source != target {
                *entry = mix(*entry, hash.mix_in(value));
            }
        }
    }
    for word in words.iter().skip(POOL) {
        for entry in &mut pool {
            *entry = mix(*entry, hash.mix_in(*word));
        }
    }
    let mut hash = Hash { constant: 0x8b51_f9dd, factor: 0x58f3_8ded };
    pool.iter().cycle().take(count).map(|entry| hash.mix_in(*entry)).collect()
}

/// Little-endian, without leading zeros, but never empty.
fn as_words(number: u64) -> Vec<u32> {
    let (low, high) = (number as u32, (number >> 32) as u32);
    if high == 0 { vec![low] } else { vec![low, high] }
}

/// A multiplicative hash whose constant moves on with each use.
struct Hash {
    constant: u32,
    factor: u32,
}

impl Hash {
    fn mix_in(&mut self, value: u32) -> u32 {
        let value = value ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.factor);
        let value = value.wrapping_mul(self.constant);
        value ^ (value >> 16)
    }
}

fn mix(x: u32, y: u32) -> u32 {
    let mixed = x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715));
    mixed ^ (mixed >> 16)
}

#[cfg(test)]
mod tests {
    use super::generate;

    /// `numpy.random.SeedSequence(entropy, spawn_key=key, pool_size=24).generate_state(4)` of numpy 2.4.6.
    #[test]
    fn equals_numpy() {
        let cases: [(u64, &[u64], [u32; 4]); 5] = [
            (0, &[], [4025752534, 2687548107, 2326983537, 1576567101]),
            (0, &[0, 0], [245430115, 3436620678, 4120055464, 1627243804]),
            (42, &[5, 3], [3084123560, 468215949, 242942938, 2650128260]),
            (1099511627783, &[8589934593, 24], [1037370259, 1867119449, 14736225, 4150566944]),
            (9223372036854775808, &[], [152367735, 858481811, 2947776495, 3909952287]),
        ];
        for (entropy, key, expected) in cases {
            assert_eq!(generate(entropy, key, 4), expected, "{entropy} {key:?}");
        }
    }
}
