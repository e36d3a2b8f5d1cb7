//! The names of hand-written matchers and validators. `build.rs` includes this file too, so that
//! a rule that names another one does not build.

macro_rules! names {
    ($(#[$meta:meta])* $type:ident { $($variant:ident $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $type { $($variant),+ }

        #[allow(dead_code, reason = "each side of the build needs one direction only")]
        impl $type {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),+];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

names! {
    /// A hand-written matcher: for shapes that a regular expression cannot bound, or that are too
    /// common to pay for one.
    Matcher {
        Email "email",
        Phone "phone",
        PhoneNational "phone-national",
        PaymentCard "payment-card",
        Iban "iban",
        AzureClientSecret "azure-client-secret",
        TelegramToken "telegram-token",
        NamedToken "named-token",
        CryptHash "crypt-hash",
        WalletAccount "wallet-account",
        Inserted "inserted",
        UsSsn "us-ssn",
        Ipv4 "ipv4",
        Ipv6 "ipv6",
        Mac "mac",
        Jwt "jwt",
        Bearer "bearer",
        Basic "basic",
        Authorization "authorization",
        Cookie "cookie",
        SetCookie "set-cookie",
        UrlPassword "url-password",
        UrlToken "url-token",
        Assigned "assigned",
        AssignedRandom "assigned-random",
        QueryValue "query-value",
        QueryRandom "query-random",
        NearService "near-service",
        AfterWords "after-words",
        PrivateKey "private-key",
        HomeDirectory "home-directory",
        DataUrl "data-url",
        Base64Media "base64-media",
        Array "array",
        NumberList "number-list",
        TokenIds "token-ids",
        ByteList "byte-list",
        PersonName "person-name",
        PersonTitled "person-titled",
        PersonGiven "person-given",
        PersonValue "person-value",
        KnownPerson "known-person",
        UserName "user-name",
        StreetAddress "street-address",
        AddressValue "address-value",
        PostBox "post-box",
        Prompt "prompt",
        ChatPrompt "chat-prompt",
        ChatCompletion "chat-completion",
    }
}

names! {
    /// A test of the matched value that a pattern cannot express.
    Validator {
        GithubChecksum "github-checksum",
        MatrixChecksum "matrix-checksum",
        MixedCharacters "mixed-characters",
        MixedCase "mixed-case",
        Base58Check "base58-check",
        MixedCaseChecksum "mixed-case-checksum",
        Bech32 "bech32",
        PostalAddress "postal-address",
        PersonName "person-name",
        KoreanName "korean-name",
        ChineseName "chinese-name",
    }
}
