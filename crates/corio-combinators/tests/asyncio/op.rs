//! What a program is made of.

/// A word, or words in parentheses.
#[derive(Clone, Debug)]
pub enum Op {
    Word(String),
    List(Vec<Op>),
}

pub fn parse(text: &str) -> Op {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut open: Vec<Vec<Op>> = vec![Vec::new()];
    for word in spaced.split_whitespace() {
        match word {
            "(" => open.push(Vec::new()),
            ")" => {
                let list = open.pop().expect("a matching parenthesis");
                open.last_mut().expect("one above").push(Op::List(list));
            }
            word => open
                .last_mut()
                .expect("one at least")
                .push(Op::Word(word.into())),
        }
    }
    open.remove(0).remove(0)
}

impl Op {
    pub fn list(&self) -> &[Op] {
        match self {
            Op::List(list) => list,
            Op::Word(word) => panic!("{word} is no list"),
        }
    }

    pub fn word(&self) -> &str {
        match self {
            Op::Word(word) => word,
            Op::List(_) => panic!("a list is no word"),
        }
    }

    pub fn number(&self) -> f64 {
        self.word().parse().expect("a number")
    }

    pub fn index(&self) -> usize {
        self.word().parse().expect("an index")
    }
}
