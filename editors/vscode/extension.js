// Starts `gradstudy lsp` and connects it to VS Code. Everything else is the server's.
"use strict";

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = workspace.getConfiguration("gradstudy").get("path") || "gradstudy";
  const server = { command, args: ["lsp"] };
  const options = {
    documentSelector: [{ language: "study" }],
    // A study depends on the files that it uses.
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.study") },
  };
  client = new LanguageClient("gradstudy", "gradstudy", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    window.showErrorMessage(
      `\`${command} lsp\` cannot be started: ${error.message ?? error}. Set "gradstudy.path" to the gradstudy program.`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

exports.activate = async (context) => {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    commands.registerCommand("gradstudy.restart", restart),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("gradstudy.path")) restart();
    }),
  );
  await start();
};

exports.deactivate = stop;
