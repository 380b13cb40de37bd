import EnrollmentCore
import Policy

extension Output {
    /// What is wrong with a bundle, a row each: file, line, column, message and remedy.
    init(_ diagnostics: [PolicyDiagnostic]) {
        self.init(
            columns: ["file", "line", "column", "message", "remedy"],
            rows: diagnostics.map { fault in
                [
                    .string(fault.file), .integer(Int64(fault.line)), .integer(Int64(fault.column)),
                    .string(fault.message), JSONValue(fault.remedy),
                ]
            })
    }
}

extension String {
    /// Without the carriage return that a line of CSV leaves at the end of what a shell reads from it.
    var withoutCarriageReturn: String { hasSuffix("\r") ? String(dropLast()) : self }
}
