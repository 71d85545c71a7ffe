//! Adjacency lists, such as the calls of each function.

use std::marker::PhantomData;

use super::Id;

/// For each id, the items that belong to it, in one array.
///
/// A vector for each id would be an allocation for each id, and the items would be far apart in memory.
#[derive(Clone, Debug)]
pub struct Adjacency<I, T> {
    /// For each id, where its items begin; one more for the end of the last.
    starts: Vec<u32>,
    items: Vec<T>,
    id: PhantomData<fn(I)>,
}

impl<I, T> Default for Adjacency<I, T> {
    fn default() -> Self {
        Adjacency { starts: vec![0], items: Vec::new(), id: PhantomData }
    }
}

impl<I: Id, T: Copy> Adjacency<I, T> {
    /// The lists of `count` ids. The items of one id keep their order.
    pub fn new(count: usize, items: impl Iterator<Item = (I, T)> + Clone) -> Self {
        let mut starts = vec![0; count + 1];
        let mut any = None;
        for (id, item) in items.clone() {
            starts[id.index() + 1] += 1;
            any = Some(item);
        }
        for index in 0..count {
            starts[index + 1] += starts[index];
        }
        let mut free = starts.clone();
        let mut sorted = any.map_or(Vec::new(), |any| vec![any; starts[count] as usize]);
        for (id, item) in items {
            let position = &mut free[id.index()];
            sorted[*position as usize] = item;
            *position += 1;
        }
        Adjacency { starts, items: sorted, id: PhantomData }
    }

    /// Appends the list of the next id. Starting from an empty value, the first call is about id 0.
    pub fn push(&mut self, items: impl IntoIterator<Item = T>) {
        self.items.extend(items);
        self.starts.push(self.items.len() as u32);
    }

    /// Appends the lists of the next ids, which are those of another value.
    pub fn append(&mut self, next: &Self) {
        let end = self.items.len() as u32;
        self.starts.extend(next.starts[1..].iter().map(|start| end + start));
        self.items.extend_from_slice(&next.items);
    }

    /// The items of an id, to be changed.
    pub(super) fn of_mut(&mut self, id: I) -> &mut [T] {
        &mut self.items[self.starts[id.index()] as usize..self.starts[id.index() + 1] as usize]
    }

    /// The items of an id.
    pub fn of(&self, id: I) -> &[T] {
        &self.items[self.starts[id.index()] as usize..self.starts[id.index() + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::super::FunctionId;
    use super::*;

    #[test]
    fn items_of_one_id_keep_their_order() {
        let items = [(2, 'a'), (0, 'b'), (2, 'c')].map(|(id, item)| (FunctionId(id), item));
        let lists = Adjacency::new(4, items.into_iter());
        let listed: Vec<&[char]> = (0..4).map(|id| lists.of(FunctionId(id))).collect();
        assert_eq!(listed, [&['b'] as &[char], &[], &['a', 'c'], &[]]);
    }

    #[test]
    fn lists_can_be_appended_in_order() {
        let mut lists: Adjacency<FunctionId, i32> = Adjacency::default();
        lists.push([1, 2]);
        lists.push([]);
        let mut more: Adjacency<FunctionId, i32> = Adjacency::default();
        more.push([3]);
        lists.append(&more);
        let listed: Vec<&[i32]> = (0..3).map(|id| lists.of(FunctionId(id))).collect();
        assert_eq!(listed, [&[1, 2] as &[i32], &[], &[3]]);
    }
}
