//! [`lagrange`]: interpolating polynomials, which LMS, DEIS and UniPC integrate.

/// The polynomial through the value 1 at the node of that index and 0 at the others, as coefficients of
/// 1, t, t², … The nodes must differ.
pub(super) fn lagrange(nodes: &[f64], index: usize) -> Vec<f64> {
    let node = nodes.get(index).copied().unwrap_or_default();
    let others = nodes.iter().enumerate().filter(|(other, _)| *other != index);
    others.fold(vec![1.0], |polynomial, (_, other)| {
        // Times (t − other)/(node − other).
        let scale = 1.0 / (node - other);
        let shifted = std::iter::once(0.0).chain(polynomial.iter().copied());
        let constant = polynomial.iter().copied().chain([0.0]);
        shifted.zip(constant).map(|(up, same)| (up - same * other) * scale).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::lagrange;

    #[test]
    fn is_one_at_its_node_and_zero_at_the_others() {
        let nodes = [2.0, -1.0, 0.5, 3.0];
        for (index, _) in nodes.iter().enumerate() {
            let polynomial = lagrange(&nodes, index);
            for (other, t) in nodes.iter().enumerate() {
                let value = polynomial.iter().rev().fold(0.0, |value, c| value * t + c);
                let expected = if other == index { 1.0 } else { 0.0 };
                assert!((value - expected).abs() < 1e-12, "{index} at {t}: {value}");
            }
        }
    }
}
