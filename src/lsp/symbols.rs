//! A study's statements, for an editor's outline.

use lsp_types::{DocumentSymbol, SymbolKind};

use crate::study::statements::{Holds, USE};

use super::project::File;

/// One symbol for each statement that has a name or a title.
pub fn symbols(file: &File) -> Vec<DocumentSymbol> {
    let all = file.outline.statements.iter().enumerate();
    all.filter_map(|(index, statement)| {
        let place = statement.name.or(statement.title)?;
        let name = file.at(place).trim_matches('"');
        let keyword = file.keyword(index);
        let kind = match (keyword, file.kind(index).map(|kind| kind.holds)) {
            (USE, _) => SymbolKind::FILE,
            (_, Some(Holds::Levels)) => SymbolKind::ENUM,
            (_, Some(Holds::Value)) => SymbolKind::CONSTANT,
            (_, Some(Holds::Call(_))) => SymbolKind::VARIABLE,
            _ => SymbolKind::NAMESPACE,
        };
        // Editors refuse a symbol without a name, and one is being written.
        let name = if name.is_empty() { keyword } else { name };
        #[allow(deprecated)]
        let symbol = DocumentSymbol {
            name: name.to_string(),
            detail: Some(keyword.to_string()),
            kind,
            tags: None,
            deprecated: None,
            range: file.lines.range(&file.text, statement.span),
            selection_range: file.lines.range(&file.text, place),
            children: None,
        };
        Some(symbol)
    })
    .collect()
}
