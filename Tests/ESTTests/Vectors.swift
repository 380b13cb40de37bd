import EnrollmentCore

/// Requests for `lt-042.devices.localhost` made with OpenSSL 3.0 (`openssl req -new`), in base64.
enum Vectors {
    /// P-256 key 1.
    static let request = """
        MIIBFDCBuwIBADAjMSEwHwYDVQQDDBhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\
        AARupX8jOnjBDRc7CGZxFBqblTC3xLfHm4aWvgG266j7tZRa0E+No65YArxer5VJNdGtJFRW8/rtIapp73OmUGadoDYwNAYJ\
        KoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSAAwRQIgTa9s\
        9lojXPmrtQndtm03x5QRDxAjAZQkJ4nZC3Zb+vACIQDPD9XS9vSbq2f8GAalHQJMGmvO+jBWYIQRf7ELE+Th8Q==
        """
    /// P-256 key 2.
    static let otherKey = """
        MIIBFDCBuwIBADAjMSEwHwYDVQQDDBhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\
        AAQ0g4rPbuWbsbHApBltogD83pAcqwcWV1JEMRWM+HZVwOImyGaaqCaNg/EtPPcyk6pvvwjz2POUuA2h0nuP3JnnoDYwNAYJ\
        KoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSAAwRQIhALzu\
        1M0fIdZNxrJ5ceujpCZBMnwozdS1tbzi6Ech5hFxAiBUgS8tGrXPaEwgg8I6pgcXh/3StJsgZwijhnkHmi7wmQ==
        """
    /// RSA, 1024 bits.
    static let smallRSA = """
        MIIBYjCBzAIBADAjMSEwHwYDVQQDDBhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJ\
        AoGBAMBQtWMV42Tl6l6dGd9HlEZfK1F+7E3S3XIm/ckrntVw02r2sWORDYO8IZmH5e7eKWVpIweglyZ7BuKWrZIsbK+bPaBt\
        dUkjhZIw2FVSlmaxtU52TPTf7WAw3NgVHB6PlhtTGyS08LnnRUHfyhAwytOAAMCP2p+wE3d7BEEQV3/xAgMBAAGgADANBgkq\
        hkiG9w0BAQsFAAOBgQAkQPrh7NEXmXPw+1Z/oCSbC9AyKdSySOxE868hAe2OmKR41zFREsort22sV+ZWdQIVsC8TdHCsv4CY\
        DgcDz7Vi9YkjjEtoAUSYbtitX5fQTZzQ0GPK7w/K/GqXOW1FR0CYttNsFnNu7PYMK+sUvSB31eFu+mbIQzSsWC2xGRxHaw==
        """
    /// Wishes for basicConstraints CA:TRUE; P-256 key 1.
    static let authority = """
        MIIBADCBpwIBADAjMSEwHwYDVQQDDBhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\
        AARupX8jOnjBDRc7CGZxFBqblTC3xLfHm4aWvgG266j7tZRa0E+No65YArxer5VJNdGtJFRW8/rtIapp73OmUGadoCIwIAYJ\
        KoZIhvcNAQkOMRMwETAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIHsZFK5Q12SmfrQNRL9j9L3pkKGtKRfy\
        126ZhuDT0eOXAiEAijNwCN+odEAWxOYQfPyrt+GR5zhj3ZG6Nsv1SUaeoF4=
        """
    /// On secp256k1, which no profile grants.
    static let unlistedCurve = """
        MIHDMGsCAQAwDDEKMAgGA1UEAwwBeDBWMBAGByqGSM49AgEGBSuBBAAKA0IABDsh0mIhL5G0yVkR4TUMjopvTLZGQjg8Jxwj\
        9tEKwlAjo9f4Ffr/gsEMqj1lgEUfLWZhqJxOOx2boCYuyc2DE9egADAKBggqhkjOPQQDAgNIADBFAiBJP/GY9pIklCOZqhBd\
        jPpUZAZADEOi8VVh3+oLX0FJ3QIhAMM9zYe4Fr3AeR5KNxwi3YYn/vMSB0vyYjSi8iyWIDuZ
        """
    /// A self-signed certificate over P-256 key 1, in base64.
    static let certificate = """
        MIIBmzCCAUGgAwIBAgIUDluk8IAGsLvVfZYOjqW8zll1QtgwCgYIKoZIzj0EAwIwIzEhMB8GA1UEAwwYbHQtMDQyLmRldmlj\
        ZXMubG9jYWxob3N0MB4XDTI2MTEyMjE0MzYwM1oXDTM2MTExOTE0MzYwM1owIzEhMB8GA1UEAwwYbHQtMDQyLmRldmljZXMu\
        bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbqV/Izp4wQ0XOwhmcRQam5Uwt8S3x5uGlr4Btuuo+7WUWtBP\
        jaOuWAK8Xq+VSTXRrSRUVvP67SGqae9zplBmnaNTMFEwHQYDVR0OBBYEFHcMLEisSAW8tXiXhZMid+lJmrcVMB8GA1UdIwQY\
        MBaAFHcMLEisSAW8tXiXhZMid+lJmrcVMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhANFT4+bPxt+PcolJ\
        OJ4OnOKiDwQsXj7GVsKYfdZ24C+iAiAiRXKH71DGQl1CYU0lvCvw6PQgGbqa1U6yNGTqfMl13g==
        """

    /// DER of `certificate`.
    static var certificateDER: [UInt8] { Base64.decode(certificate.utf8) ?? [] }
    /// `request` with the last octet of its signature changed.
    static var brokenSignature: String {
        var der = Base64.decode(request.utf8) ?? []
        if let last = der.popLast() { der.append(last ^ 1) }
        return Base64.encode(der)
    }
}
