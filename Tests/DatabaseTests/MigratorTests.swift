import Database
import EnrollmentTesting
import Testing

struct MigratorTests {
    private func settings() throws -> ConnectionSettings {
        let fixture = try DatabaseFixture()
        return ConnectionSettings(
            fixture.cluster.parameters(database: fixture.database, user: "gatehouse_migrator"))
    }

    private static func step(_ number: Int64, _ sql: String) -> Migration {
        Migration(number: number, name: "step\(number)", script: Array(sql.utf8))
    }

    @Test func stepsRunOnceAndInOrder() throws {
        let settings = try settings()
        let one = Self.step(1, "CREATE SCHEMA s; CREATE TABLE s.a (x int);")
        let two = Self.step(2, "ALTER TABLE s.a ADD y int;")
        #expect(try Migrator(settings, [one]).migrate() == ["step1"])
        #expect(try Migrator(settings, [two, one]).status().map(\.isApplied) == [true, false])
        #expect(try Migrator(settings, [two, one]).migrate() == ["step2"])
        #expect(try Migrator(settings, [one, two]).migrate() == [])
    }

    @Test func aChangedStepIsRefused() throws {
        let settings = try settings()
        _ = try Migrator(settings, [Self.step(1, "CREATE SCHEMA s")]).migrate()
        #expect(throws: MigrationError.changed(number: 1, name: "step1")) {
            try Migrator(settings, [Self.step(1, "CREATE SCHEMA t")]).migrate()
        }
    }

    @Test func aNewerSchemaIsRefused() throws {
        let settings = try settings()
        _ = try Migrator(settings, [Self.step(1, "SELECT 1"), Self.step(2, "SELECT 1")]).migrate()
        #expect(throws: MigrationError.newer(number: 2)) {
            try Migrator(settings, [Self.step(1, "SELECT 1")]).migrate()
        }
    }

    @Test func aFailingStepLeavesNothing() throws {
        let settings = try settings()
        let good = Self.step(1, "CREATE SCHEMA s")
        #expect(throws: MigrationError.self) {
            try Migrator(settings, [good, Self.step(2, "nonsense")]).migrate()
        }
        #expect(try Migrator(settings, [good]).status().map(\.isApplied) == [false])
    }
}
