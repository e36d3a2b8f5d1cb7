//! Names in Chinese letters: a family name, and one or two letters of which words begin as well.

/// Whether letters that begin as a name does are one, not a word of records: `周日`, `许可证`.
pub(crate) fn is_name(value: &[u8]) -> bool {
    const WORDS: [&str; 72] = [
        "周一", "周二", "周三", "周四", "周五", "周六", "周日", "周末", "周年", "周期", "周边",
        "周围", "许可", "许多", "許可", "許多", "程序", "程度", "程式", "马上", "马路", "马达",
        "黄金", "黄色", "高度", "高级", "高级", "高速", "高峰", "高并", "金融", "金额", "金属",
        "江苏", "江西", "江山", "苏州", "苏宁", "何时", "何种", "何处", "白色", "白名", "曾经",
        "任务", "任何", "任意", "方案", "方法", "方式", "方向", "段落", "石油", "石家", "田地",
        "余额", "余款", "于是", "叶片", "汪汪", "张贴", "陈旧", "杜绝", "范围", "范例", "沈阳",
        "魏县", "罗马", "罗列", "郑州", "徐州", "王者",
    ];
    !WORDS.iter().any(|word| value.starts_with(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_begin_as_names_do() {
        assert!(is_name("王大明".as_bytes()) && is_name("周大明".as_bytes()));
        assert!(!is_name("周日".as_bytes()) && !is_name("许可证".as_bytes()));
    }
}
