//! Names of Korea, Taiwan and Hong Kong in Latin letters: two syllables that a dash joins, beside a
//! family name. `Ji-hoon` and `Mei-fong` are in no list.

use super::words;

/// Family names, the commonest first.
const FAMILIES: [&[u8]; 64] = [
    b"Kim", b"Lee", b"Park", b"Choi", b"Jung", b"Jeong", b"Kang", b"Cho", b"Yoon", b"Yun", b"Jang",
    b"Lim", b"Im", b"Han", b"Oh", b"Seo", b"Suh", b"Shin", b"Kwon", b"Hwang", b"Ahn", b"An",
    b"Song", b"Ryu", b"Yoo", b"You", b"Hong", b"Jeon", b"Jun", b"Ko", b"Koh", b"Moon", b"Mun",
    b"Son", b"Sohn", b"Yang", b"Bae", b"Baek", b"Paik", b"Heo", b"Hur", b"Nam", b"Noh", b"Roh",
    b"Ha", b"Joo", b"Ju", b"Woo", b"Gu", b"Koo", b"Min", b"Na", b"Jin", b"Ji", b"Eom", b"Chae",
    b"Won", b"Cha", b"Bang", b"Hyun", b"Ham", b"Byun", b"Yeo", b"Chung",
];

/// Whether `word` is a family name of Korea.
pub(super) fn is_family(word: &[u8]) -> bool {
    FAMILIES.contains(&word)
}

/// Whether three syllables that begin as a name does are one, not a word of records: `연락처`, `정보가`,
/// `이용자`.
pub(crate) fn is_name(value: &[u8]) -> bool {
    const WORDS: [&str; 87] = [
        "이벤", "정기", "배정", "연락", "정보", "주소", "이름", "이메", "전화", "신용", "신청",
        "고객", "문의", "배송", "주문", "서비", "서명", "조회", "장바", "강제", "안내", "노트",
        "하나", "우편", "구매", "유형", "민원", "진료", "지급", "지역", "위치", "표시", "기록",
        "명단", "반품", "반려", "방문", "공지", "현황", "함께", "변경", "여권", "추가", "도착",
        "소개", "설정", "마감", "설문", "선택", "길이", "금액", "육성", "인증", "제한", "제공",
        "오류", "한도", "임시", "최종", "최근", "최대", "최소", "권한", "송금", "유효", "채팅",
        "원본", "이용", "사용", "담당", "예약", "상담", "확인", "등록", "계정", "비밀", "접수",
        "처리", "완료", "실패", "성공", "없음", "방법", "대기", "나이", "성별", "생년",
    ];
    let person = "자".as_bytes();
    !value.ends_with(person) && !WORDS.iter().any(|word| value.starts_with(word.as_bytes()))
}

/// `Hyunwoo`, `Minji`: whether `word` is two syllables of a given name, written as one.
pub(super) fn is_joined(word: &[u8]) -> bool {
    (5..=10).contains(&word.len())
        && word.is_ascii()
        && (2..word.len() - 1)
            .any(|i| word[i..].len() >= 2 && is_syllable(&word[..i]) && is_syllable(&word[i..]))
}

/// The end of the given name whose first syllable is the word from `at` to `end`, if a dash and a
/// second syllable follow.
pub(super) fn given(text: &[u8], at: usize, end: usize) -> Option<usize> {
    let second = end + 1;
    if text.get(end) != Some(&b'-') || !text.get(second).is_some_and(u8::is_ascii_lowercase) {
        return None;
    }
    let stop = words::end(text, second);
    let closed = text.get(stop).is_none_or(|byte| *byte != b'-' && *byte != b'_');
    (closed && is_syllable(&text[at..end]) && is_syllable(&text[second..stop])).then_some(stop)
}

/// A syllable of the romanisations in use: a consonant or none, a vowel, a consonant or none.
fn is_syllable(word: &[u8]) -> bool {
    const INITIALS: [&[u8]; 26] = [
        b"ch", b"sh", b"kk", b"ts", b"hs", b"kw", b"ng", b"g", b"k", b"n", b"d", b"t", b"r", b"l",
        b"m", b"b", b"p", b"s", b"j", b"h", b"f", b"w", b"y", b"x", b"q", b"z",
    ];
    const VOWELS: [&[u8]; 35] = [
        b"wae", b"yae", b"yeo", b"yoo", b"you", b"ae", b"ai", b"ao", b"au", b"ee", b"ei", b"eo",
        b"eu", b"ia", b"iu", b"oe", b"oo", b"ou", b"ua", b"ue", b"ui", b"wa", b"we", b"wi", b"wo",
        b"ya", b"ye", b"yi", b"yo", b"yu", b"a", b"e", b"i", b"o", b"u",
    ];
    const FINALS: [&[u8]; 8] = [b"", b"n", b"ng", b"m", b"l", b"k", b"p", b"t"];
    let mut folded = [0; 7];
    let Some(place) = folded.get_mut(..word.len()) else { return false };
    place.copy_from_slice(word);
    place.make_ascii_lowercase();
    let word = &*place;
    let rest = INITIALS.iter().find_map(|initial| word.strip_prefix(*initial)).unwrap_or(word);
    let rest = VOWELS.iter().find_map(|vowel| rest.strip_prefix(*vowel));
    rest.is_some_and(|rest| FINALS.contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_and_other_words() {
        for name in [
            "Ji-hoon",
            "Min-seo",
            "Hye-jin",
            "Seung-ho",
            "Eun-kyung",
            "Young-hee",
            "Mei-fong",
            "Ing-wen",
        ] {
            let end = given(name.as_bytes(), 0, name.find('-').unwrap());
            assert_eq!(end, Some(name.len()), "{name}");
        }
        for other in ["Real-time", "Pre-train", "Multi-head", "Follow-up", "Wi-fi-on", "K-means"] {
            assert_eq!(given(other.as_bytes(), 0, other.find('-').unwrap()), None, "{other}");
        }
    }
}
