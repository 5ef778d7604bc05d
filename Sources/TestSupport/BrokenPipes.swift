import Glibc

/// A program that ends before it has read all of its input is no reason for the tests to end: once this was looked at, writing to it
/// fails instead of killing the process. Programs that are started have the signal as ever.
public let brokenPipesAreIgnored: Void = { _ = signal(SIGPIPE, SIG_IGN) }()
