import Database
import EnrollmentTesting

/// A database with one table, in a server shared by the tests or in one of its own.
struct DatabaseFixture {
    let cluster: PostgresCluster
    let database: String

    init(separate: Bool = false) throws {
        cluster = separate ? try .separate() : try .shared()
        let server = cluster
        database = try cluster.database(template: "database_tests") { name in
            try server.superuser(
                """
                CREATE TABLE public.note (id bigint PRIMARY KEY, body text NOT NULL);
                GRANT USAGE ON SCHEMA public TO gatehouse_writer;
                GRANT SELECT, INSERT ON public.note TO gatehouse_writer;
                """, database: name)
        }
    }

    var settings: ConnectionSettings {
        ConnectionSettings(cluster.parameters(database: database, user: "gatehouse_writer"))
    }

    /// How many notes there are, asked by the superuser.
    func notes() throws -> Int {
        Int(try cluster.superuser("SELECT count(*) FROM public.note", database: database).filter(\.isNumber))
            ?? -1
    }
}

let insertNote = Statement("INSERT INTO public.note (id, body) VALUES ($1, 'x') ON CONFLICT DO NOTHING")
let insertNoteStrictly = Statement("INSERT INTO public.note (id, body) VALUES ($1, 'x')")
