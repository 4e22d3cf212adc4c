//! The protos as data, from the descriptor that reflection serves.

use prost_reflect::{DescriptorPool, EnumDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

/// Every package with what it imports.
pub fn pool() -> DescriptorPool {
    DescriptorPool::decode(rapport_proto::FILE_DESCRIPTOR_SET).expect("the build wrote a whole descriptor set")
}

/// The packages of our own, sorted.
pub fn packages(pool: &DescriptorPool) -> Vec<String> {
    let mut packages: Vec<String> =
        pool.files().map(|file| file.package_name().to_owned()).filter(|name| name.starts_with("rapport.")).collect();
    packages.sort();
    packages.dedup();
    packages
}

/// The services of a package, sorted by name.
pub fn services(pool: &DescriptorPool, package: &str) -> Vec<ServiceDescriptor> {
    let mut found: Vec<_> = pool.services().filter(|service| service.package_name() == package).collect();
    found.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    found
}

/// The messages of a package with those inside them, but without the entries of maps; sorted by name.
pub fn messages(pool: &DescriptorPool, package: &str) -> Vec<MessageDescriptor> {
    let mut found: Vec<_> = pool.all_messages().filter(|message| message.package_name() == package && !message.is_map_entry()).collect();
    found.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    found
}

/// The enums of a package with those inside its messages, sorted by name.
pub fn enums(pool: &DescriptorPool, package: &str) -> Vec<EnumDescriptor> {
    let mut found: Vec<_> = pool.all_enums().filter(|own| own.package_name() == package).collect();
    found.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    found
}

/// Every RPC of ours, by package, service and order of declaration.
pub fn rpcs(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    packages(pool).iter().flat_map(|package| services(pool, package)).flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// `CreateCustomer` as a function is named: `create_customer`.
pub fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// `CustomerType` as its values are prefixed: `CUSTOMER_TYPE`.
pub fn shouting(name: &str) -> String {
    snake_case(name).to_ascii_uppercase()
}
