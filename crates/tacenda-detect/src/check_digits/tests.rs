//! Numbers that their issuers or the algorithm's descriptions publish as examples, or that were made
//! up by the algorithm; and what holds for every function.

use proptest::prelude::*;

use super::*;
use crate::rule::{RULES, Recognise};

type Check = fn(&[u8]) -> bool;

/// Each with numbers that are right. One digit changed makes it wrong.
const RIGHT: &[(&str, Check, &[&str])] = &[
    ("us_npi", us_npi, &["1234567893"]),
    ("us_routing", us_routing, &["011000015", "021000021"]),
    ("us_dea", us_dea, &["AB1234563"]),
    ("ca_sin", ca_sin, &["130692544"]),
    ("br_cpf", br_cpf, &["52998224725", "11144477735"]),
    ("br_cnpj", br_cnpj, &["11222333000181", "12ABC34501DE35"]),
    ("ar_cuit", ar_cuit, &["20123456786"]),
    ("mx_clabe", mx_clabe, &["032180000118359719"]),
    ("gb_nhs", gb_nhs, &["9434765919"]),
    ("nl_bsn", nl_bsn, &["111222333"]),
    ("de_tax", de_tax, &["86095742719"]),
    ("ch_ahv", ch_ahv, &["7569217076985"]),
    ("pl_pesel", pl_pesel, &["44051401359"]),
    ("pl_nip", pl_nip, &["1060000062"]),
    ("se_person", se_person, &["8112189876"]),
    ("es_dni", es_dni, &["12345678Z", "X1234567L"]),
    ("it_fiscal", it_fiscal, &["RSSMRA85T10A562S"]),
    ("hr_oib", hr_oib, &["33392005961"]),
    ("ru_snils", ru_snils, &["11223344595"]),
    ("cn_resident", cn_resident, &["11010519491231002X"]),
    ("in_aadhaar", in_aadhaar, &["234123412346"]),
    ("sg_nric", sg_nric, &["S1234567D", "T1234567J", "F1234567N", "G1234567X"]),
    ("au_tfn", au_tfn, &["123456782"]),
    ("au_abn", au_abn, &["51824753556"]),
    ("au_acn", au_acn, &["004085616"]),
    ("il_identity", il_identity, &["123456782"]),
    ("za_identity", za_identity, &["8001015009087"]),
    ("isin", isin, &["US0378331005"]),
    ("cusip", cusip, &["037833100"]),
    ("vin", vin, &["1HGCM82633A004352"]),
    ("imei", imei, &["490154203237518"]),
    ("fr_nir", fr_nir, &["255081416802538"]),
    ("be_national", be_national, &["85073003328"]),
    ("no_birth", no_birth, &["01010750160"]),
    ("fi_person", fi_person, &["131052308T"]),
    ("ie_pps", ie_pps, &["1234567T"]),
    ("tr_person", tr_person, &["10000000146"]),
    ("pt_nif", pt_nif, &["123456789"]),
    ("gr_afm", gr_afm, &["094259216"]),
    ("bg_person", bg_person, &["7523169263"]),
    ("ro_personal", ro_personal, &["1630615123457"]),
    ("cz_birth", cz_birth, &["7103192745"]),
    ("hk_identity", hk_identity, &["A1234563"]),
    ("tw_person", tw_person, &["A123456789"]),
    ("sg_uen", sg_uen, &["53125226D", "201434292D", "T16RF0037C", "S57TU0392K", "R16RF0037F"]),
    ("document", document, &["C01X00T41"]),
    ("th_national", th_national, &["1101700230708"]),
    ("jp_individual", jp_individual, &["123456789018"]),
    ("nz_nhi", nz_nhi, &["ZAC5361", "ZBN77VL"]),
    ("nz_ird", nz_ird, &["049091850"]),
    ("baltic_person", baltic_person, &["37605030299", "33309240064"]),
    ("at_social", at_social, &["1237010180"]),
    ("ae_emirates", ae_emirates, &["784198012345678"]),
];

#[test]
fn published_numbers_pass() {
    let mut wrong = Vec::new();
    for (name, check, numbers) in RIGHT {
        for number in *numbers {
            if !check(number.as_bytes()) {
                wrong.push(format!("{name} {number}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn one_digit_changed_at_the_end_fails() {
    for (name, check, numbers) in RIGHT {
        for number in *numbers {
            let mut wrong = number.as_bytes().to_vec();
            let last = wrong.iter().rposition(u8::is_ascii_digit).expect("every number has digits");
            wrong[last] = if wrong[last] == b'9' { b'0' } else { wrong[last] + 1 };
            assert!(!check(&wrong), "{name} {}", wrong.escape_ascii());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Forms see to it that a check gets what it can read; a check does not rely on it.
    #[test]
    fn no_check_minds_what_it_gets(text in "[0-9A-Z]{1,24}|[0-9]{1,24}") {
        for rule in RULES {
            if let Recognise::Forms(forms) = rule.recognise
                && let Some(check) = forms.check
            {
                check(text.as_bytes());
            }
        }
    }
}
