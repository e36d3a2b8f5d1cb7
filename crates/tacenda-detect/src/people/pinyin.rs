//! Chinese names in pinyin, family name first: `Li Shimin`. Given names are in no list; they are one or
//! two syllables, and there are some four hundred of those.

/// Family names that are no English words, the commonest first.
const FAMILIES: [&[u8]; 84] = [
    b"Wang", b"Li", b"Zhang", b"Liu", b"Chen", b"Yang", b"Huang", b"Zhao", b"Wu", b"Zhou", b"Xu",
    b"Sun", b"Ma", b"Zhu", b"Hu", b"Guo", b"Lin", b"Gao", b"Luo", b"Zheng", b"Liang", b"Xie",
    b"Tang", b"Han", b"Feng", b"Deng", b"Cao", b"Peng", b"Zeng", b"Xiao", b"Tian", b"Dong",
    b"Yuan", b"Cai", b"Jiang", b"Yu", b"Ye", b"Cheng", b"Wei", b"Su", b"Lu", b"Ding", b"Ren",
    b"Yao", b"Shen", b"Zhong", b"Cui", b"Liao", b"Shi", b"Jin", b"Jia", b"Xia", b"Fu", b"Fang",
    b"Zou", b"Xiong", b"Bai", b"Meng", b"Qin", b"Qiu", b"Hou", b"Yin", b"Xue", b"Yan", b"Lei",
    b"Tao", b"Shao", b"Mao", b"Hao", b"Gong", b"Gu", b"Qian", b"Dou", b"Ouyang", b"Zhuang", b"Nie",
    b"Geng", b"Guan", b"Kong", b"Xiang", b"Chang", b"Qi", b"Ni", b"Lai",
];

const INITIALS: [&[u8]; 23] = [
    b"zh", b"ch", b"sh", b"b", b"p", b"m", b"f", b"d", b"t", b"n", b"l", b"g", b"k", b"h", b"j",
    b"q", b"x", b"r", b"z", b"c", b"s", b"y", b"w",
];

const FINALS: [&[u8]; 33] = [
    b"a", b"ai", b"an", b"ang", b"ao", b"e", b"ei", b"en", b"eng", b"i", b"ia", b"ian", b"iang",
    b"iao", b"ie", b"in", b"ing", b"iong", b"iu", b"o", b"ong", b"ou", b"u", b"ua", b"uai", b"uan",
    b"uang", b"ue", b"ui", b"un", b"uo", b"ve", b"v",
];

/// Syllables without an initial.
const BARE: [&[u8]; 11] =
    [b"a", b"ai", b"an", b"ang", b"ao", b"e", b"en", b"er", b"o", b"ou", b"ei"];

/// Whether `word` is one of the common family names.
pub(super) fn is_family(word: &[u8]) -> bool {
    FAMILIES.contains(&word)
}

/// Whether `word` may be a given name: one or two syllables.
pub(super) fn is_given(word: &[u8]) -> bool {
    const LONGEST: usize = 12;
    if !(2..=LONGEST).contains(&word.len()) || !word.is_ascii() {
        return false;
    }
    let small = word.to_ascii_lowercase();
    is_syllable(&small)
        || (1..small.len()).any(|i| is_syllable(&small[..i]) && is_syllable(&small[i..]))
}

fn is_syllable(text: &[u8]) -> bool {
    let whole = INITIALS.iter().any(|initial| {
        text.strip_prefix(*initial).is_some_and(|rest| {
            let labial = matches!(*initial, b"b" | b"p" | b"m" | b"f");
            FINALS.contains(&rest) && !(labial && matches!(rest, b"e" | b"ong" | b"ou"))
        })
    });
    whole || BARE.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables() {
        for name in ["Shimin", "Jiande", "Shichong", "Wei", "Xiaoming", "Yifei", "Ailing", "Qiang"]
        {
            assert!(is_given(name.as_bytes()), "{name}");
        }
        for word in ["Mills", "Server", "Ion", "Beta", "Microsystems", "Labs", "Algorithm", "X"] {
            assert!(!is_given(word.as_bytes()), "{word}");
        }
        assert!(is_family(b"Dou") && !is_family(b"Long"));
    }
}
