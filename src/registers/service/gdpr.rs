//! A dataset of a service with City of Helsinki's GDPR API 1.1: one tree of keys about one person, whose leaves have values.
//!
//! A path of keys, in the form of a JSON Pointer without the key of the root, leads to the records and to each field.

use async_trait::async_trait;
use tokio::sync::OwnedSemaphorePermit;

use super::super::failure::Failure;
use super::super::json::{Json, Member, Parser, Place};
use super::super::names;
use super::super::values::Collected;
use super::super::{Bounds, Reader};
use super::dataset::{Asked, absent, place};
use crate::domain::catalogue::pointer::Pointer;
use crate::domain::catalogue::{FieldType, Record};
use crate::ports::{Question, RegisterError};

/// A dataset of a service with the GDPR API.
pub(crate) struct GdprDataset {
    asked: Asked,
    bounds: Bounds,
}

/// One node of the tree.
struct Node {
    key: String,
    at: Place,
    content: Content,
}

enum Content {
    Value(Json),
    Children(Vec<Node>),
}

fn unfit(cause: String) -> Failure {
    Failure::new(RegisterError::Unfit("the answer is no tree of the GDPR API"), cause)
}

impl Node {
    /// A node as the API writes it: a key with either a value or children. A label and a format are for display.
    fn read(at: Place, found: Json) -> Result<Self, Failure> {
        let Json::Object(members) = found else {
            return Err(unfit(format!("{at}: a node is not an object")));
        };
        let (mut key, mut value, mut children) = (None, None, None);
        for Member { name, at, value: found } in members {
            match (name.as_str(), found) {
                ("key", Json::String(text)) => key = Some(text),
                ("key", _) => return Err(unfit(format!("{at}: a key is not a text"))),
                ("value", found) => value = Some(found),
                ("children", Json::Array(items)) => children = Some((at, items)),
                ("children", _) => return Err(unfit(format!("{at}: children are not a list"))),
                ("label" | "formatting", _) => {}
                _ => return Err(unfit(format!("{at}: a member that the API does not have"))),
            }
        }
        let key = key.ok_or_else(|| unfit(format!("{at}: a node has no key")))?;
        let content = match (value, children) {
            (Some(value), None) => Content::Value(value),
            (None, Some((at, items))) => Content::Children(
                items.into_iter().map(|item| Self::read(at, item)).collect::<Result<_, _>>()?,
            ),
            _ => return Err(unfit(format!("{at}: a node has not either a value or children"))),
        };
        Ok(Self { key, at, content })
    }

    fn children(&self) -> &[Self] {
        match &self.content {
            Content::Children(children) => children,
            Content::Value(_) => &[],
        }
    }

    /// All nodes at a path; every key but the last one leads to one node.
    fn at<'a>(&'a self, path: &[String]) -> Result<Vec<&'a Self>, Failure> {
        let Some((first, deeper)) = path.split_first() else { return Ok(vec![self]) };
        let mut found = self.children().iter().filter(|child| child.key == *first);
        if deeper.is_empty() {
            return Ok(found.collect());
        }
        match (found.next(), found.next()) {
            (None, _) => Ok(Vec::new()),
            (Some(one), None) => one.at(deeper),
            (_, Some(second)) => Err(unfit(format!("{}: the key {first} occurs twice", second.at))),
        }
    }

    /// The value of a leaf, or children as an object.
    fn json(&self) -> Result<Json, Failure> {
        let children = match &self.content {
            Content::Value(value) => return Ok(value.clone()),
            Content::Children(children) => children,
        };
        let mut members: Vec<Member> = Vec::new();
        for child in children {
            if members.iter().any(|member| member.name == child.key) {
                return Err(unfit(format!("{}: a key occurs twice where one is expected", child.at)));
            }
            members.push(Member { name: child.key.clone(), at: child.at, value: child.json()? });
        }
        Ok(Json::Object(members))
    }

    /// The value of a field; `None` when there is none. A list is the children of one node, or nodes with the same key.
    fn field(&self, path: &Pointer, kind: FieldType) -> Result<Option<(Place, Json)>, Failure> {
        let found = self.at(path.tokens())?;
        let list = kind == FieldType::Array;
        match found.as_slice() {
            [] => Ok(None),
            [one] => match &one.content {
                Content::Children(children) if list => {
                    let items = children.iter().map(Self::json).collect::<Result<_, _>>()?;
                    Ok(Some((one.at, Json::Array(items))))
                }
                _ => Ok(Some((one.at, one.json()?))),
            },
            [first, ..] if list => {
                let items = found.iter().map(|node| node.json()).collect::<Result<_, _>>()?;
                Ok(Some((first.at, Json::Array(items))))
            }
            [_, second, ..] => Err(unfit(format!("{}: {path} occurs twice", second.at))),
        }
    }
}

impl GdprDataset {
    pub(crate) const fn new(asked: Asked, bounds: Bounds) -> Self {
        Self { asked, bounds }
    }

    fn records(&self, body: &[u8], question: &Question) -> Result<Vec<Record>, Failure> {
        let document = Parser::new(body).and_then(Parser::single)?;
        if let Some(from) = self.asked.available_from(&document)? {
            return Err(RegisterError::AvailableFrom(from).into());
        }
        let root = Node::read(Place { column: 1, ..Place::START }, document)?;
        let path = &self.asked.request.records;
        if let Some((_, container)) = path.tokens().split_last()
            && root.at(container)?.is_empty()
        {
            let cause = format!("there is nothing that could hold {path}");
            return Err(Failure::new(RegisterError::Unfit("the records are not there"), cause));
        }
        let mut collected = Collected::new(self.bounds);
        for (index, node) in root.at(path.tokens())?.into_iter().enumerate() {
            let place = format!("record {}, {}", index.saturating_add(1), node.at);
            collected.push(self.record(node, question).map_err(|failure| failure.within(&place))?)?;
        }
        Ok(collected.into_records())
    }

    fn record(&self, node: &Node, question: &Question) -> Result<Record, Failure> {
        let named = |pointer: &Pointer| match node.field(pointer, FieldType::String) {
            Ok(Some((_, Json::String(text)))) => Some(text),
            _ => None,
        };
        let subject = self.asked.subject(named, &question.subject)?;
        let marks = self.asked.marks.read(|column| {
            let value = node.field(&place(column), FieldType::String).ok().flatten();
            value.map(|(_, value)| value)
        })?;
        let names = names::read(&self.asked.names, |_, column| {
            let value = node.field(&place(column), FieldType::String).ok().flatten();
            value.and_then(|(_, value)| names::text(&value))
        })?;
        let mut failed = None;
        let record = self.asked.mapping.record(&question.fields, (subject, marks), |column| {
            let pointer = place(column.name);
            let outcome = match node.field(&pointer, column.field.kind) {
                Ok(Some((at, value))) => return (Some(at), value),
                Ok(None) if self.asked.request.absent_is_null => return (None, Json::Null),
                Ok(None) => absent(&pointer, column.field),
                Err(failure) => failure.within(&format!("field {}", column.field.name)),
            };
            failed.get_or_insert(outcome);
            (None, Json::Null)
        })?;
        failed.map_or(Ok(Record { names, ..record }), Err)
    }
}

#[async_trait]
impl Reader for GdprDataset {
    async fn read(&self, question: Question, _slot: OwnedSemaphorePermit) -> Result<Vec<Record>, Failure> {
        let url = self.asked.first(question.subject.reveal())?;
        match self.asked.page(&url, question.subject.reveal()).await? {
            Some(body) => self.records(&body, &question),
            None => Ok(Vec::new()),
        }
    }
}
