return Varve.Fuzz.Commands.Run(args);
