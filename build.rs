//! Lists the files of `migrations/<engine>` for `store/migrate.rs`, so that a migration is one file for each engine and
//! nothing else.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=migrations");
    let (root, out) = (env::var("CARGO_MANIFEST_DIR")?, env::var("OUT_DIR")?);
    for engine in ["sqlite", "postgres"] {
        let folder = Path::new(&root).join("migrations").join(engine);
        let mut paths =
            fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
        paths.retain(|path| path.extension().is_some_and(|end| end == "sql"));
        paths.sort();
        let one = |path: &Path| {
            let name = path.file_stem().unwrap_or_default();
            format!("Migration {{ name: {name:?}, sql: include_str!({path:?}) }},\n")
        };
        let list: String = paths.iter().map(|path| one(path)).collect();
        fs::write(Path::new(&out).join(engine).with_extension("rs"), format!("&[\n{list}]\n"))?;
    }
    Ok(())
}
