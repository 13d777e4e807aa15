//! What is done to a loss series before it is drawn.

/// A point of the figure: step and loss.
pub(super) type Point = (f64, f64);

/// The mean over a window centred on each value, cut off at the ends.
pub(super) fn moving_average(values: &[f64], window: usize) -> Vec<f64> {
    let half = window / 2;
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0;
    sums.push(sum);
    for value in values {
        sum += value;
        sums.push(sum);
    }
    let average = |t: usize| {
        let (from, to) = (t.saturating_sub(half), (t + half + 1).min(values.len()));
        (sums[to] - sums[from]) / (to - from) as f64
    };
    (0..values.len()).map(average).collect()
}

/// At most `2 * buckets` points of a series: where it is longer, the lowest and the highest of each
/// bucket in their order, which draws the same ink.
pub(super) fn decimate(values: &[f64], buckets: usize) -> Vec<Point> {
    let point = |t: usize| ((t + 1) as f64, values[t]);
    let n = values.len();
    if n <= 2 * buckets {
        return (0..n).map(point).collect();
    }
    let mut points = Vec::with_capacity(2 * buckets);
    for bucket in 0..buckets {
        let steps = bucket * n / buckets..(bucket + 1) * n / buckets;
        let by_value = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        let (Some(low), Some(high)) = (steps.clone().min_by(by_value), steps.max_by(by_value))
        else {
            continue;
        };
        points.push(point(low.min(high)));
        if low != high {
            points.push(point(low.max(high)));
        }
    }
    points
}

/// The parts of a line between two heights, each cut where it crosses them.
pub(super) fn clip(points: &[Point], low: f64, high: f64) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for pair in points.windows(2) {
        let Some((from, to)) = clip_segment(pair[0], pair[1], low, high) else {
            open = false;
            continue;
        };
        match parts.last_mut() {
            Some(part) if open => part.push(to),
            _ => parts.push(vec![from, to]),
        }
        open = to == pair[1];
    }
    parts
}

fn clip_segment(from: Point, to: Point, low: f64, high: f64) -> Option<(Point, Point)> {
    if from.1.max(to.1) < low || from.1.min(to.1) > high {
        return None;
    }
    let rise = to.1 - from.1;
    let at = |height: f64| (from.0 + (to.0 - from.0) * (height - from.1) / rise, height);
    let cut = |point: Point| match point.1 {
        height if height < low => at(low),
        height if height > high => at(high),
        _ => point,
    };
    Some((cut(from), cut(to)))
}

/// The value below which a share of the values lies. The values get sorted.
pub(super) fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = (share * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(place).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_average_is_centred() {
        assert_eq!(
            moving_average(&[1.0, 2.0, 3.0, 4.0, 5.0], 3),
            [1.5, 2.0, 3.0, 4.0, 4.5]
        );
        assert_eq!(moving_average(&[1.0, 5.0], 1), [1.0, 5.0]);
        assert!(moving_average(&[], 5).is_empty());
    }

    #[test]
    fn decimating_keeps_the_extremes() {
        let mut values = vec![0.5; 100_000];
        values[31_415] = 9.0;
        values[27_182] = -9.0;
        let points = decimate(&values, 500);
        assert!(points.len() <= 1000);
        assert!(points.contains(&(31_416.0, 9.0)) && points.contains(&(27_183.0, -9.0)));
        assert!(points.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(decimate(&[1.0, 2.0], 500), [(1.0, 1.0), (2.0, 2.0)]);
    }

    #[test]
    fn a_line_is_cut_where_it_leaves() {
        let line = [(0.0, 0.5), (1.0, 1.5), (2.0, 0.5), (3.0, 5.0), (4.0, 6.0)];
        let parts = clip(&line, 0.0, 1.0);
        let expected = [
            vec![(0.0, 0.5), (0.5, 1.0)],
            vec![(1.5, 1.0), (2.0, 0.5), (2.0 + 1.0 / 9.0, 1.0)],
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn quantiles_of_few_values() {
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
