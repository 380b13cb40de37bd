import Fuzz
import Glibc

// libFuzzer's driver around one body of the library, which the environment variable FUZZ_BODY names:
// libFuzzer starts itself again for some of its modes, and the environment stays with it.

private let body: FuzzBody = {
    let name = getenv("FUZZ_BODY").map { String(cString: $0) } ?? ""
    guard let body = FuzzBody.named(name) else {
        fatalError("FUZZ_BODY is one of \(FuzzBody.all.map(\.name).joined(separator: ", "))")
    }
    return body
}()

/// What libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func attempt(_ octets: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    body.run(Array(UnsafeBufferPointer(start: octets, count: count)))
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ attempt: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The executable's `main`, by the name under which SwiftPM links it.
@_cdecl("FuzzDriver_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments) { attempt($0, $1) }
}
