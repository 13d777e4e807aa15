//! How numbers are written for people.

/// A hyperparameter in the notation people type: small and large ones with an exponent.
pub(crate) fn number_text(value: f64) -> String {
    let size = value.abs();
    if value != 0.0 && !(0.1..1e5).contains(&size) {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

/// A count with its thousands set apart: `22,600`.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of which only the first three digits are known: `22,600` for 22,583.
pub(crate) fn about(count: u64) -> String {
    let mut unit = 1;
    while count / unit >= 1000 {
        unit *= 10;
    }
    thousands(count.saturating_add(unit / 2) / unit * unit)
}

/// Three significant digits and a sign: `-0.0123`.
pub(crate) fn signed(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-6..6).contains(&magnitude) {
        return format!("{value:+.2e}");
    }
    format!("{value:+.*}", usize::try_from(2 - magnitude).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyperparameters_read_as_people_type_them() {
        let texts = [1e-4, 1e-2, 0.0, 0.1, 1.0, 100000.0, 1.5e-3].map(number_text);
        assert_eq!(texts, ["1e-4", "1e-2", "0", "0.1", "1", "1e5", "1.5e-3"]);
    }

    #[test]
    fn counts_have_their_thousands_set_apart() {
        assert_eq!(
            [7, 1000, 1234567].map(thousands),
            ["7", "1,000", "1,234,567"]
        );
        assert_eq!(
            [999, 22_583, 99_960, 1_005].map(about),
            ["999", "22,600", "100,000", "1,010"]
        );
    }

    #[test]
    fn slopes_have_three_digits() {
        let texts = [-0.01234, 0.0001, 12.345, -1234.5, 1.5e-9, 0.0].map(signed);
        assert_eq!(
            texts,
            ["-0.0123", "+0.000100", "+12.3", "-1234", "+1.50e-9", "0"]
        );
    }
}
