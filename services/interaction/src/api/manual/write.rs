//! A manual for the wire: by destructuring, so that a new field does not compile until it is written here.

use rapport_core::words::Word;
use rapport_proto::interaction::v1 as pb;

use crate::{
    api::{
        etiquette::write_rule,
        scope,
        write::{number, text, timestamp},
    },
    domain::{Contents, Course, ManualSection, ManualVersion, Material},
};

/// A version.
pub fn manual(manual: ManualVersion) -> pb::ManualVersion {
    let ManualVersion {
        id,
        version,
        number,
        title,
        locale,
        state,
        base,
        published_by,
        contents,
        create_time,
        update_time,
        publish_time,
        retire_time,
    } = manual;
    let Contents { sections, rules, courses } = contents;
    pb::ManualVersion {
        manual_version_id: id.to_string(),
        number,
        title,
        locale: locale.to_string(),
        state: state.number(),
        sections: sections.into_iter().map(section).collect(),
        rules: rules.into_iter().map(write_rule).collect(),
        courses: courses.into_iter().map(course).collect(),
        base_version_id: text(base),
        published_by: published_by.unwrap_or_default(),
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        publish_time: publish_time.map(timestamp),
        retire_time: retire_time.map(timestamp),
        etag: version.to_string(),
    }
}

/// A section.
pub fn section(section: ManualSection) -> pb::ManualSection {
    let ManualSection { id, element, policy_kind, title, body, scope: applies, confidential, materials } = section;
    pb::ManualSection {
        section_id: id,
        element: element.number(),
        policy_kind: number(policy_kind),
        title,
        body,
        scope: Some(scope::write(applies)),
        confidential,
        materials: materials.into_iter().map(material).collect(),
    }
}

fn material(material: Material) -> pb::Material {
    let Material { title, uri, approved_by } = material;
    pb::Material { title, uri, approved_by }
}

fn course(course: Course) -> pb::Course {
    let Course { id, title, sections, pass_score, valid_for, required, edition } = course;
    let span = |span: std::time::Duration| prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or_default(),
    };
    pb::Course { course_id: id, title, section_ids: sections, pass_score, valid_for: valid_for.map(span), required, edition }
}
