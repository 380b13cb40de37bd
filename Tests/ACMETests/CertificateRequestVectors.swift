/// Certificate requests in base64url, made once by Tests/Vectors/acme/requests.py; the name ordered is
/// `lt-042.devices.localhost`.
enum CertificateRequestVectors {
    /// P-256, no subject, one dNSName.
    static let san =
        "MIHyMIGYAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQc1wSYQbDRppZBY3IY1k5yF1bVEKq7QS1KCyDVme4re9mv"
        + "MxbwVP3yYW0UeG01z_dTTKsgYuhH6XPTYMkB08KVoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2"
        + "aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSQAwRgIhAInu-D_RV3rXEzLHRdXw4o0AJHOBAZ4x2j-FNs_RkaIdAiEAxzEx"
        + "kRWsJeSS-tD0lWL6sfa34j9iBO4r6h7JYUXPm4I"
    /// The same name in commonName too.
    static let sanCn =
        "MIIBFTCBuwIBADAjMSEwHwYDVQQDDBhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC"
        + "AAQc1wSYQbDRppZBY3IY1k5yF1bVEKq7QS1KCyDVme4re9mvMxbwVP3yYW0UeG01z_dTTKsgYuhH6XPTYMkB08KVoDYwNAYJ"
        + "KoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSQAwRgIhAJCt"
        + "qFfBfP9YLY3bHfeLxmGqnJQpZ-YEcJDlCsrrUk70AiEAsteX0EA31YtQEewZ4SkzWBIQ7B1mnYuWQ0LZpZKpytc"
    /// The dNSName in upper case.
    static let sanUpper =
        "MIHxMIGYAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQc1wSYQbDRppZBY3IY1k5yF1bVEKq7QS1KCyDVme4re9mv"
        + "MxbwVP3yYW0UeG01z_dTTKsgYuhH6XPTYMkB08KVoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhMVC0wNDIuREVW"
        + "SUNFUy5MT0NBTEhPU1QwCgYIKoZIzj0EAwIDSAAwRQIgLsYajxxP5hrEWllMR0oif4K622wjBZjfUNxwNjTrKJYCIQDWZ_eP"
        + "TYfYG3hsiyTU0ke2Ckmh0TOB6lZceE1MfO80SA"
    /// The name in commonName alone.
    static let cnOnly =
        "MIHdMIGFAgEAMCMxITAfBgNVBAMMGGx0LTA0Mi5kZXZpY2VzLmxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA"
        + "BBzXBJhBsNGmlkFjchjWTnIXVtUQqrtBLUoLINWZ7it72a8zFvBU_fJhbRR4bTXP91NMqyBi6Efpc9NgyQHTwpWgADAKBggq"
        + "hkjOPQQDAgNHADBEAiBRjKJ1qmzanPLLVo_2cQP7Uqgt-YUo3VqJJFbFhqaIkQIgLucSZm6vVwqqQ5zJlm_hKSDifs4h9O2f"
        + "vGNY0D7EyAM"
    /// The device's id as commonName.
    static let cnDevice =
        "MIIBAjCBqQIBADARMQ8wDQYDVQQDDAZMVC0wNDIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQc1wSYQbDRppZBY3IY1k5y"
        + "F1bVEKq7QS1KCyDVme4re9mvMxbwVP3yYW0UeG01z_dTTKsgYuhH6XPTYMkB08KVoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNV"
        + "HREEHDAaghhsdC0wNDIuZGV2aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSAAwRQIgaHI88A4PkS6IHeU-mm8LT9cnGHxW"
        + "TN9lZTbL65ampK8CIQCPHODHxSNkjFXj9xoyrGwDN7ETfG7ZWFPJdIpH8iEcvA"
    /// Another name.
    static let otherName =
        "MIHwMIGYAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQc1wSYQbDRppZBY3IY1k5yF1bVEKq7QS1KCyDVme4re9mv"
        + "MxbwVP3yYW0UeG01z_dTTKsgYuhH6XPTYMkB08KVoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDMuZGV2"
        + "aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDRwAwRAIgRWmAiKGFktIOdQGwsW1DT1TX-d0yezE_luiW6nfGECICIEiA7_HO"
        + "bAZbJsjQ6xRedRDZ5RXU9M2EZuM3pfGxlo4m"
    /// A second name.
    static let extraName =
        "MIIBBjCBrQIBADAAMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHNcEmEGw0aaWQWNyGNZOchdW1RCqu0EtSgsg1ZnuK3vZ"
        + "rzMW8FT98mFtFHhtNc_3U0yrIGLoR-lz02DJAdPClaBLMEkGCSqGSIb3DQEJDjE8MDowOAYDVR0RBDEwL4IYbHQtMDQyLmRl"
        + "dmljZXMubG9jYWxob3N0ghN4LmRldmljZXMubG9jYWxob3N0MAoGCCqGSM49BAMCA0gAMEUCIAWxsHgsyPAJQt8ftgKUH5Q_"
        + "t3542epsDCJFJ8DXtJjFAiEAq9voUjofk5bLk1x4sx7J1diA67ZMy7kyqQ0RsHhpmIk"
    /// Another P-256 key.
    static let secondKey =
        "MIHxMIGYAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQb5U1VSy7owbNNQ3cBBDjdWtDlESKXLa9A8N1YyVk1oRZ_"
        + "S-5KNMwCF4LZ3Pm16vHbSg5zF9d-phtZ7Zk8668OoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2"
        + "aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSAAwRQIhAKwn3eo6hFEWseoql9JugnkoQvRleFzxD8tUt_eq6EHRAiBRB3wX"
        + "nTN9JjkL_PczCaQDfuZnvZrWO6bQBSO8MkmSwA"
    /// The key of the test account.
    static let accountKey =
        "MIHyMIGYAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARRXD1uueOWuQTT_sp_VP3NDMHpl783XcpRWtCmw7QDX0U2"
        + "vjpQ8xj7-aVHWQKiIVAr7w1X4IxTsswKVvF9n5NUoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2"
        + "aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSQAwRgIhALD2Aw1wHhuzC7Xk5dMAUfcusvTL0Exr5kJ5Ug1YLZrXAiEAmJmA"
        + "zZpWBULoV2WjusJlUg4kRBI3zBnKs4PZ8t5NKd8"
    /// RSA of 1024 bits.
    static let rsa1024 =
        "MIIBdTCB3wIBADAAMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDKduO-c9YqY5uL-11VZkcyO1P0c_tXZ722hgPNPF4P"
        + "DRqeH41HAzEAfdWkdgUlMmsg2QiBNt08lE01gpz6qSAXX0OZZX3tAb_QBUqyBY8m2ULx5inqBZts7j2hywGGJbX8iTxvlAGo"
        + "An-xvByCVDH1vcBGnQnGby3v3s06Ai-f8wIDAQABoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2"
        + "aWNlcy5sb2NhbGhvc3QwDQYJKoZIhvcNAQELBQADgYEAyXHoE7mgqt9BYtVcJ6r7kM061thhvJh8z0LF9Bxt5DMumeZ4B_vT"
        + "JHDN4zGGUoHjSA8JfhaTQbSMRBatcIvgAQlLKXeYkBr-Q7bUiRNEvgARZcA5YbqYB-W9DY7QnX6cIu8XkdSFLuvEEuAUslnk"
        + "F4AcQ9KZpL75gLB9liJUAv4"
    /// The last signature bit flipped.
    static let badSignature =
        "MIHyMIGYAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQc1wSYQbDRppZBY3IY1k5yF1bVEKq7QS1KCyDVme4re9mv"
        + "MxbwVP3yYW0UeG01z_dTTKsgYuhH6XPTYMkB08KVoDYwNAYJKoZIhvcNAQkOMScwJTAjBgNVHREEHDAaghhsdC0wNDIuZGV2"
        + "aWNlcy5sb2NhbGhvc3QwCgYIKoZIzj0EAwIDSQAwRgIhAInu-D_RV3rXEzLHRdXw4o0AJHOBAZ4x2j-FNs_RkaIdAiEAxzEx"
        + "kRWsJeSS-tD0lWL6sfa34j9iBO4r6h7JYUXPm4M"
}
