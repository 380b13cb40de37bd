import Foundation
import Ledger
import Testing

@testable import EventFeed

struct FormatTests {
    @Test func anAlertInEachFormat() throws {
        let alert = try #require(Samples.all.first { $0.kind == "alert" })
        #expect(
            EventFormat.cef.text(of: alert)
                == "CEF:0|Gatehouse|Gatehouse|1|alert.rogue-certificate|alert.rogue-certificate|10|"
                + "rt=1790000000000 externalId=01990000-0000-7000-8000-000000000001 cn1=41 cn1Label=leafIndex "
                + "cat=alert act=alert.rogue-certificate outcome=unknown app=est dvchost=gw-1 "
                + "deviceExternalId=LT-1 reason=unknown cs1=01990000-0000-7000-8000-000000000002 "
                + "cs1Label=requestId cs2=laptops cs2Label=service cs6=\(Samples.digest) cs6Label=leafHash "
                + "msg=alert.rogue-certificate, device LT-1, service laptops, 01ab, unknown")
        #expect(
            EventFormat.ecs.text(of: alert)
                == #"{"@timestamp":"2026-09-21T14:13:20.000000Z","device":{"id":"LT-1"},"ecs":{"version":"8.17.0"},"#
                + #""event":{"action":"alert.rogue-certificate","category":["intrusion_detection"],"#
                + #""created":"2026-09-21T14:13:20.000000Z","dataset":"gatehouse.ledger","#
                + "\"hash\":\"\(Samples.digest)\","
                + #""id":"01990000-0000-7000-8000-000000000001","kind":"alert","module":"gatehouse","#
                + #""outcome":"unknown","reason":"unknown","sequence":41,"severity":4,"type":["info"]},"#
                + #""gatehouse":{"kind":"alert","operation":"enroll","#
                + #""request_id":"01990000-0000-7000-8000-000000000002","target":"01ab"},"#
                + #""message":"alert.rogue-certificate, device LT-1, service laptops, 01ab, unknown","#
                + #""network":{"protocol":"est"},"observer":{"name":"gw-1"},"#
                + #""service":{"name":"laptops","type":"gatehouse"}}"#)
    }

    @Test(arguments: EventFormat.allCases)
    func noTextBreaksOutOfItsLine(_ format: EventFormat) {
        let text = format.text(of: Samples.hostile, sendsPersonal: true)
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) })
        #expect(text.utf8.count <= 7_500)
    }

    @Test(arguments: EventFormat.allCases)
    func personalValuesStayUnlessAskedFor(_ format: EventFormat) {
        for event in Samples.all {
            let text = format.text(of: event)
            #expect(!text.contains("192.0.2.1") && !text.contains("commitment:"))
        }
        #expect(format.text(of: Samples.all[0], sendsPersonal: true).contains("192.0.2.1"))
    }

    @Test func headersAndExtensionsEscapeWhatTheFormatSays() {
        #expect(CommonEventFormat.header(#"a|b\c=d"#, 100) == #"a\|b\\c=d"#)
        #expect(CommonEventFormat.escaped(#"a|b\c=d"#) == #"a|b\\c\=d"#)
    }

    @Test func aMessageIsFramedByItsOctets() {
        let message = SyslogMessage(
            severity: 2, instant: Samples.instant, host: "gw 1\n", identifier: "", content: "ü")
        #expect(message.text == "<106>1 2026-09-21T14:13:20.000000Z gw1 gatehouse - - - ü")
        #expect(message.frame.starts(with: Array("57 <106>1 ".utf8)))
        #expect(message.frame.count == 57 + 3)
    }

    @Test func othersFindTheFormatsValid() throws {
        let events = Samples.all + [Samples.hostile]
        let lines = EventFormat.allCases.flatMap { format in
            events.flatMap { event in
                [false, true].map { "\(format.rawValue) \(format.text(of: event, sendsPersonal: $0))" }
            }
        }
        #expect(try FormatJudge.verdict(on: lines) == "\(lines.count) valid\n")
    }
}
