extension Wave {
    /// Divides hosts into waves, in their order and numbered from 1.
    ///
    /// - Parameters:
    ///   - hosts: The hosts with work to do, each once.
    ///   - selected: How many hosts were selected, also those that are skipped or blocked: percentages are of this number.
    ///   - sizes: The size of each wave. The last entry repeats until every host has a wave, and the last wave takes what is
    ///     left. A percentage is cut down to whole hosts; no size is below 1. Without any entry every wave is one host.
    public static func divide(_ hosts: [HostName], selected: Int, sizes: [Share]) -> [Wave] {
        var waves: [Wave] = []
        var rest = hosts[...]
        while !rest.isEmpty {
            let size = sizes.isEmpty ? .hosts(1) : sizes[min(waves.count, sizes.count - 1)]
            let members = rest.prefix(max(1, size.hosts(of: selected)))
            waves.append(Wave(number: waves.count + 1, hosts: Array(members)))
            rest = rest.dropFirst(members.count)
        }
        return waves
    }
}
