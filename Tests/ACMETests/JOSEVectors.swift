/// Published keys and signatures.
enum JOSEVectors {
    /// RFC 7638 §3.1.
    static let rfc7638Modulus =
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK"
        + "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic"
        + "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"
        + "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    /// RFC 7515 §A.2.1 and §A.3.1.
    static let rfc7515Payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    static let rfc7515Modulus =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql"
        + "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
        + "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud"
        + "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    static let rfc7515RS256 =
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG"
        + "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
        + "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"
        + "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    /// Made with pyca/cryptography 50.0.2: RSA-PSS, SHA-256, 32-octet salt, over `eyJhbGciOiJQUzI1NiJ9.YQ`.
    static let ps256Modulus =
        "w-uzr2QQlutwqH6m2uUDKtB_PTAg1UrhlK5kgWD1TOA8LBpwcu2xcdPkBaWxkEnJsYe8L1glQ4fOFIcXUMsASMVrly1lfLcD"
        + "3rd_b5YZl1PhqsxWPTbnWOPFQJF1b7nFKEjDAoVDSKn8fGoeIeY_yP74l7pdomXAzSUQhq7P3lBvPSuK7RlaBPJ_B2TOc3G6"
        + "L7j3Pf7inTK16EkUAhdQBdCB8UzdVdT4GuU-xra4oZNcgVJ4zvybwrjlMkJ6_uun9RyYxwJwP9CK5mhQ4fS6xahkvnVQ86a_"
        + "1G9mzFOob70bEVjvmjR7sOBg4FDNrJPY2zpJ5D3Ww93KkFAcWSw-ow"
    static let ps256Signature =
        "VOfP1eHfFyqYeA7AVI3JIQmaYmvCbr0ZYgJV4dk5Yn1wMQA9DJWcCEoJKAitqAVYFNGT_qiU3-EpiW3nikYuRrBYmBHSBCdd"
        + "udU0cynt25qp8SA_BFWecIsLwsK9pE-NqiCbZZN-n-GRLLTTy522MFN1m41hHLAh75veT_2_tjfxUrLfU2sAb-d2yjB7qiLc"
        + "LcGGZBdIRm0TKVkElTYxzW_U_nswd0ShEUVQkT5ZpFSZjJU6nKdnSwJHIQGd-OvXUi2Qjal2q7nQIRWHygFZIdSPqbpbZGU0"
        + "WrrJBUwrMaoONTbrARIOaGE1gaK9vVcuj5aqLBzSwYlpdo54gGU1gA"
}
