//! The objects that PyTorch's own functions make of a pickle: storages, tensors, parameters and dictionaries.

use super::node::{Id, Node, Object};
use super::stored::{ElementKind, Storage, StoredTensor};

/// What `callable(*args)` gives, where it is known; else an object that says what would have made it.
///
/// # Errors
/// Arguments that the known functions do not take.
pub(super) fn call(nodes: &[Node], callable: Id, args: Id) -> Result<Node, String> {
    let Node::Global(name) = &nodes[callable] else {
        return Ok(object(describe(&nodes[callable])));
    };
    let Node::Sequence(_, args) = &nodes[args] else {
        return Err(format!("the arguments of {name} are no tuple"));
    };
    let missing = || format!("{name} has {} arguments, too few", args.len());
    let first = args.first().map(|id| &nodes[*id]);
    Ok(match name.as_str() {
        "collections.OrderedDict" | "builtins.dict" | "__builtin__.dict" => match first {
            Some(items) => Node::Dict(dict_of(nodes, items)?),
            None => Node::Dict(Vec::new()),
        },
        "collections.defaultdict" | "collections.Counter" => Node::Dict(Vec::new()),
        "builtins.set" | "__builtin__.set" | "builtins.frozenset" => match first {
            Some(Node::Sequence(_, items)) => Node::Sequence("set", items.clone()),
            _ => Node::Sequence("set", Vec::new()),
        },
        "torch.Size" | "builtins.tuple" | "builtins.list" => first.ok_or_else(missing)?.clone(),
        "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => tensor(nodes, args, false)?,
        "torch._utils._rebuild_tensor_v3" => tensor(nodes, args, true)?,
        "torch._utils._rebuild_parameter"
        | "torch._utils._rebuild_parameter_with_state"
        | "torch.nn.parameter.Parameter" => first.ok_or_else(missing)?.clone(),
        // A subclass of Tensor: function, class, arguments, attributes.
        "torch._tensor._rebuild_from_type_v2"
        | "torch._tensor._rebuild_from_type"
        | "torch.tensor._rebuild_from_type" => match args.as_slice() {
            [function, _class, args, ..] => call(nodes, *function, *args)?,
            _ => return Err(missing()),
        },
        name if name.ends_with(".multiarray._reconstruct") => object("numpy.ndarray".to_string()),
        name => object(name.to_string()),
    })
}

/// A dictionary's entries from pairs, or from another dictionary.
fn dict_of(nodes: &[Node], items: &Node) -> Result<Vec<(Id, Id)>, String> {
    match items {
        Node::Dict(pairs) => Ok(pairs.clone()),
        Node::Sequence(_, items) => {
            let pair = |id: &Id| match &nodes[*id] {
                Node::Sequence(_, pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
                _ => Err("a dictionary is made of what are no pairs".to_string()),
            };
            items.iter().map(pair).collect()
        }
        other => Err(format!("a dictionary is made of {}", describe(other))),
    }
}

/// A tensor of storage, offset, sizes and strides; with a type of its own as the seventh argument if `typed`.
fn tensor(nodes: &[Node], args: &[Id], typed: bool) -> Result<Node, String> {
    let [storage, offset, shape, strides, rest @ ..] = args else {
        return Err(format!("a tensor is made of {} values, too few", args.len()));
    };
    let Node::Storage(storage) = &nodes[*storage] else {
        // Of a tensor on the device `meta`, or of a kind that has no storage of this file.
        return Ok(object("a tensor without numbers".to_string()));
    };
    let (shape, strides) = (sizes(nodes, *shape)?, sizes(nodes, *strides)?);
    if shape.len() != strides.len() {
        return Err("a tensor has other numbers of sizes and strides".to_string());
    }
    let named = rest.get(2).filter(|_| typed).map(|id| &nodes[*id]);
    let mut kind = match (named, &storage.kind) {
        (Some(Node::Global(name)), _) => ElementKind::of_type(name),
        (_, Some(kind)) => kind.clone(),
        (_, None) => return Err("a tensor does not say what its elements are".to_string()),
    };
    let metadata = rest.get(if typed { 3 } else { 2 });
    if let Some(Node::Dict(pairs)) = metadata.map(|id| &nodes[*id]) {
        // Views that stand for conjugated or negated numbers while the storage holds the others.
        let is_set = |(key, value): &(Id, Id)| {
            matches!(&nodes[*key], Node::Text(key) if key == "conj" || key == "neg")
                && matches!(nodes[*value], Node::Bool(true))
        };
        if pairs.iter().any(is_set) {
            kind = ElementKind::Other("a negated or conjugated view".to_string(), kind.size());
        }
    }
    let offset = usize::try_from(storage.first)
        .ok()
        .and_then(|first| first.checked_add(size(nodes, *offset)?));
    let offset = offset.ok_or("a tensor has an offset that is no size")?;
    let tensor = StoredTensor {
        storage: storage.key.clone(),
        kind,
        shape,
        strides,
        offset,
    };
    let promised = match &storage.kind {
        Some(kind) => storage.count.checked_mul(kind.size() as u64),
        None => Some(storage.count),
    };
    let extent = tensor.extent().and_then(|extent| extent.checked_add(offset));
    let wanted = extent.and_then(|extent| extent.checked_mul(tensor.kind.size()));
    match (wanted, promised) {
        (Some(wanted), Some(promised)) if wanted as u64 <= promised || tensor.count() == Some(0) => {
            Ok(Node::Tensor(tensor))
        }
        _ => Err(format!(
            "a tensor of shape {:?} reaches beyond its storage",
            tensor.shape
        )),
    }
}

/// What a persistent id names: a storage, or in old files a module's class, with the word `module` before it and its source
/// after it.
///
/// # Errors
/// It names neither.
pub(super) fn persistent(nodes: &[Node], id: Id) -> Result<Node, String> {
    let Node::Sequence(_, fields) = &nodes[id] else {
        return Err("it refers to a storage in an unknown way".to_string());
    };
    match fields.as_slice() {
        [word, class, ..] if matches!(&nodes[*word], Node::Text(word) if word == "module") => {
            Ok(nodes[*class].clone())
        }
        _ => storage(nodes, fields).map(Node::Storage),
    }
}

/// The storage of these fields: the word `storage`, class, key, device, elements, and in old files a view.
fn storage(nodes: &[Node], fields: &[Id]) -> Result<Storage, String> {
    let fault = || "it refers to a storage in an unknown way".to_string();
    let [_, class, key, _, count, rest @ ..] = fields else {
        return Err(fault());
    };
    let (Node::Global(class), Node::Text(key)) = (&nodes[*class], &nodes[*key]) else {
        return Err(fault());
    };
    let class = class.rsplit('.').next().unwrap_or(class);
    let kind = match class {
        "UntypedStorage" => None,
        class => Some(ElementKind::of_storage(class).ok_or_else(|| format!("it has an unknown {class}"))?),
    };
    let first = match rest.first().map(|id| &nodes[*id]) {
        // Key of the view, elements before it, elements in it.
        Some(Node::Sequence(_, view)) if view.len() == 3 => size(nodes, view[1]).ok_or_else(fault)?,
        None | Some(Node::None) => 0,
        Some(_) => return Err(fault()),
    };
    Ok(Storage {
        key: key.clone(),
        kind,
        count: size(nodes, *count).ok_or_else(fault)? as u64,
        first: first as u64,
    })
}

fn sizes(nodes: &[Node], id: Id) -> Result<Vec<usize>, String> {
    let fault = || "a tensor has sizes that are none".to_string();
    match &nodes[id] {
        Node::Sequence(_, ids) => ids.iter().map(|id| size(nodes, *id).ok_or_else(fault)).collect(),
        _ => Err(fault()),
    }
}

fn size(nodes: &[Node], id: Id) -> Option<usize> {
    match &nodes[id] {
        Node::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    }
}

fn object(class: String) -> Node {
    Node::Object(Object {
        class,
        ..Object::default()
    })
}

/// Python's name of an object's type.
pub(super) fn describe(node: &Node) -> String {
    let name = match node {
        Node::None => "None",
        Node::Bool(_) => "bool",
        Node::Int(_) => "int",
        Node::Float => "float",
        Node::Text(_) => "str",
        Node::Bytes(_) => "bytes",
        Node::Sequence(name, _) => name,
        Node::Dict(_) => "dict",
        Node::Storage(_) => "storage",
        Node::Tensor(_) => "tensor",
        Node::Global(name) | Node::Object(Object { class: name, .. }) => name,
    };
    name.to_string()
}
