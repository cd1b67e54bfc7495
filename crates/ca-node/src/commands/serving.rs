//! init, join and server: the commands that become a node.

use std::path::PathBuf;

use ca_core::profile::DnsRule;

use crate::choices::Choices;
use crate::cli::{InitCluster, Join, Place, Server};
use crate::config::{ConfigFile, ListenSection, NodeSection, PinPlace, TelemetrySection, TokenSection};
use crate::failure::Failure;
use crate::jointoken::JoinToken;
use crate::output::{data, logging, made, talk};
use crate::{files, setup};

/// A panic anywhere ends the process: a node whose tasks are half dead must not go on.
fn die_of_panics() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        std::process::abort();
    }));
}

/// SIGTERM or Ctrl-C.
pub(super) async fn told_to_stop() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::internal),
    }
}

pub(super) async fn server(command: Server) -> Result<(), Failure> {
    let config = ConfigFile::load(&command.config, &command.set)?;
    logging(&config.telemetry.log);
    die_of_panics();
    setup::reopen(&config).await?.run(told_to_stop()).await
}

pub(super) async fn init_cluster(command: InitCluster) -> Result<(), Failure> {
    let mut config = configuration(&command.place)?;
    let dns = if command.dns.is_empty() { DnsRule::Any } else { DnsRule::Under(command.dns.clone()) };
    // Before anything is made: what is chosen here can never be changed.
    let choices = Choices::made(&command.name, dns, &command.cas)?;
    logging(&config.telemetry.log);
    die_of_panics();
    let mut said = |label: &str, value: String| made(label, &value);
    let founded = setup::found_cluster(&mut config, &choices, command.tokens, &mut said).await?;
    made("Cluster", &format!("{} ({})", command.name, founded.cluster));
    hand_out(&command, &founded.join_tokens)?;
    founded.node.run(told_to_stop()).await
}

fn hand_out(command: &InitCluster, tokens: &[String]) -> Result<(), Failure> {
    if let Some(path) = &command.tokens_to {
        return files::write(path, tokens.join("\n").as_bytes());
    }
    if !tokens.is_empty() {
        talk("On each other machine, within 15 minutes, one line each:");
    }
    for token in tokens {
        data(&format!("ca-node join {token}"));
    }
    Ok(())
}

pub(super) async fn join(command: Join) -> Result<(), Failure> {
    let mut config = configuration(&command.place)?;
    logging(&config.telemetry.log);
    die_of_panics();
    let text = match command.token.strip_prefix('@') {
        Some(path) => String::from_utf8_lossy(&files::read(&PathBuf::from(path))?).into_owned(),
        None => command.token.clone(),
    };
    let token: JoinToken = text.parse()?;
    let mut said = |label: &str, value: String| made(label, &value);
    let node = setup::join_cluster(&mut config, &token, &mut said).await?;
    node.run(told_to_stop()).await
}

fn configuration(place: &Place) -> Result<ConfigFile, Failure> {
    let name = match &place.node_name {
        Some(name) => name.clone(),
        None => rustix::system::uname().nodename().to_string_lossy().into_owned(),
    };
    let data_dir = std::path::absolute(&place.data_dir).map_err(Failure::internal)?;
    let pin = match &place.pin_file {
        Some(file) => PinPlace::File { file: std::path::absolute(file).map_err(Failure::internal)? },
        None => PinPlace::Default {},
    };
    let token = TokenSection {
        module: place.module.clone(),
        label: place.token_label.clone(),
        pin,
        ..TokenSection::default()
    };
    Ok(ConfigFile {
        node: NodeSection { name, data_dir },
        listen: ListenSection {
            api: (place.bind, place.api_port).into(),
            va: (place.bind, place.va_port).into(),
            peer: (place.bind, place.peer_port).into(),
            advertise: place.advertise.clone(),
        },
        token,
        telemetry: TelemetrySection::default(),
    })
}
