/// What is due when: a binary heap, earliest first.
///
/// Nothing is ever taken out early. An alarm that is no longer wanted rings and finds nobody, which is cheaper than
/// looking for it.
struct Alarms {
    private var heap: [(due: Moment, ticket: UInt64)] = []

    var earliest: Moment { heap.first?.due ?? .never }

    mutating func add(_ ticket: UInt64, due: Moment) {
        heap.append((due, ticket))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].due < heap[parent].due else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popDue(_ now: Moment) -> UInt64? {
        guard let first = heap.first, first.due <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { break }
            let right = left + 1
            let child = right < heap.count && heap[right].due < heap[left].due ? right : left
            guard heap[child].due < heap[parent].due else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return first.ticket
    }
}
