//! The types of the samples, as their sources name them, and the kinds they belong to.

use tacenda_policy::Kind;

/// The kind of a type; None for what is not sensitive by itself or what no detector claims.
pub(crate) fn kind(label: &str) -> Option<Kind> {
    Some(match label {
        "SECRET:IP_PUBLIC" => Kind::Network,
        _ if label.starts_with("SECRET:") => Kind::Credential,
        "IP" | "IP_ADDRESS" | "MAC" => Kind::Network,
        "ABA_ROUTING" | "CREDIT_CARD" | "CRYPTO" | "IBAN" | "IBAN_CODE" | "US_BANK" => {
            Kind::Financial
        }
        "ADDRESS" | "STREET_ADDRESS" | "COORDINATES" => Kind::Location,
        "DE_HEALTH_INSURANCE" | "DE_LANR" | "UK_NHS" | "US_MBI" | "US_NPI" => Kind::Health,
        "EMAIL" | "EMAIL_ADDRESS" | "PERSON" | "PHONE" | "PHONE_NUMBER" | "SSN" => Kind::Personal,
        "DEVICE" => Kind::Device,
        _ if is_of_a_country(label) => Kind::Personal,
        _ => return None,
    })
}

/// `FI_PERSONAL_IDENTITY_CODE`, `UK_PASSPORT`: two letters name the country that gives the number
/// out. A postcode names a place of thousands.
fn is_of_a_country(label: &str) -> bool {
    let country = label.split('_').next().unwrap_or_default();
    country.len() == 2 && country != label && !label.ends_with("POSTCODE")
}

/// What is told by words has a precision of its own, which names of towns and companies in the same
/// samples would flatter: the group of a detector, and the types on which its spans are right.
pub(crate) fn told_by_words(detector: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match detector {
        _ if detector == "user-name" || detector.starts_with("person-") => {
            ("names of people", &["PERSON", "TITLE", "PREFIX"])
        }
        "street-address" | "post-box" | "military-address" | "postal-code" | "address"
        | "address-unit" => {
            ("postal addresses", &["ADDRESS", "STREET_ADDRESS", "LOCATION", "POSTCODE", "ZIP_CODE"])
        }
        _ => return None,
    })
}
