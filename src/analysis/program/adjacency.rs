//! Items in groups, close together in memory.

/// For each number from 0, the items that belong to it.
///
/// One list of all items, where a list for each number would be an allocation for each, and far apart.
#[derive(Clone, Debug)]
pub struct Adjacency<T> {
    /// For each number, where its items begin; one more for the end.
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T> Default for Adjacency<T> {
    fn default() -> Self {
        Adjacency { starts: vec![0], items: Vec::new() }
    }
}

impl<T: Copy> Adjacency<T> {
    /// Adjacency items by their numbers, which are below `count`; those of one number stay in their order.
    pub fn new(count: usize, items: impl Iterator<Item = (usize, T)> + Clone) -> Self {
        let mut starts = vec![0; count + 1];
        let mut any = None;
        for (number, item) in items.clone() {
            starts[number + 1] += 1;
            any = Some(item);
        }
        for number in 0..count {
            starts[number + 1] += starts[number];
        }
        let mut free = starts.clone();
        let mut sorted = any.map_or(Vec::new(), |any| vec![any; starts[count] as usize]);
        for (number, item) in items {
            sorted[free[number] as usize] = item;
            free[number] += 1;
        }
        Adjacency { starts, items: sorted }
    }

    /// The items of the next number; for making groups one after the other, from 0.
    pub fn push(&mut self, items: impl IntoIterator<Item = T>) {
        self.items.extend(items);
        self.starts.push(self.items.len() as u32);
    }

    /// The items of a number.
    pub fn of(&self, number: usize) -> &[T] {
        &self.items[self.starts[number] as usize..self.starts[number + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_order_within_a_number() {
        let groups = Adjacency::new(4, [(2, 'a'), (0, 'b'), (2, 'c')].into_iter());
        let listed: Vec<&[char]> = (0..4).map(|number| groups.of(number)).collect();
        assert_eq!(listed, [&['b'] as &[char], &[], &['a', 'c'], &[]]);
    }

    #[test]
    fn groups_can_be_made_one_after_the_other() {
        let mut groups = Adjacency::default();
        groups.push([1, 2]);
        groups.push([]);
        groups.push([3]);
        let listed: Vec<&[i32]> = (0..3).map(|number| groups.of(number)).collect();
        assert_eq!(listed, [&[1, 2] as &[i32], &[], &[3]]);
    }
}
